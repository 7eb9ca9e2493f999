/** A table of a report before Markdown or HTML: cells as plain text, and what each renderer marks up. */

export interface ReportTable {
  readonly title: string;
  /** What the columns mean, where their headings do not say it. */
  readonly note: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Rows that are set in bold. */
  readonly emphasised: ReadonlySet<number>;
  /** Rows that begin a group. */
  readonly groupStarts: ReadonlySet<number>;
  /** So many first columns are the same in all rows of a group. */
  readonly groupColumns: number;
}
