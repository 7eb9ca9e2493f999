/** report.html in Chromium: accessible, silent, asking for nothing, at any width, in both colour schemes and on paper. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openStudyDirectory, studyFiles } from '../../lib/records/study-directory.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { makeHostileStudy } from '../fixtures/study/hostile-study.ts';
import { makeCourse } from '../fixtures/study/make-course.ts';
import { makeStudy } from '../fixtures/study/make-study.ts';
import { Browser, noBrowser, type Page, type PageView } from './browser.ts';

const root = mkdtempSync(join(tmpdir(), 'mpsbench-browser-'));
after(() => rmSync(root, { recursive: true, force: true }));

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What axe finds that keeps somebody from reading the page. */
async function seriousFindings(page: Page): Promise<string[]> {
  // What is folded away is read too.
  await page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true");
  await page.evaluate(`${axe}; 0`);
  const violations = (await page.evaluate('axe.run().then((found) => found.violations)')) as readonly Violation[];
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${nodes.length} nodes, ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`,
    );
}

/** Of all that a study may have beside its comparisons: A/A, confirmation and the clock gate. */
type Kind = 'gpu' | 'broken' | 'course';

async function reportOf(kind: Kind, make: typeof makeStudy | typeof makeHostileStudy): Promise<string> {
  const path = mkdtempSync(join(root, `${kind}-`));
  await (kind === 'course' ? makeCourse(path) : make(kind, path));
  await rebuildReport(await openStudyDirectory(path));
  return join(path, studyFiles.html);
}

/** Pixels by which the page is wider than its window. */
async function overflow(page: Page): Promise<number> {
  const root = 'document.documentElement';
  return Number(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`));
}

const views: readonly PageView[] = [
  { width: 1280, scheme: 'light', medium: 'screen' },
  { width: 1280, scheme: 'dark', medium: 'screen' },
  { width: 400, scheme: 'light', medium: 'screen' },
  { width: 400, scheme: 'dark', medium: 'screen' },
  { width: 800, scheme: 'light', medium: 'print' },
  { width: 800, scheme: 'dark', medium: 'print' },
];

describe('report.html in Chromium', { skip: noBrowser }, async () => {
  if (noBrowser !== false) return;
  const browser = await Browser.start();
  after(() => browser[Symbol.asyncDispose]());
  for (const kind of ['gpu', 'broken', 'course'] as const) {
    const file = await reportOf(kind, makeStudy);
    for (const view of views) {
      it(`of the ${kind} study has no serious finding, ${view.width} px, ${view.scheme}, ${view.medium}`, async () => {
        const page = await browser.open(file, view);
        assert.deepEqual(await seriousFindings(page), []);
        assert.deepEqual(page.complaints, []);
      });
    }

    it(`of the ${kind} study scrolls its wide parts by themselves, and not the page`, async () => {
      const page = await browser.open(file, { width: 400, scheme: 'light', medium: 'screen' });
      assert.ok((await overflow(page)) <= 0, `${await overflow(page)} px too wide`);
    });

    it(`of the ${kind} study is whole and dark on white on a sheet of paper`, async () => {
      const page = await browser.open(file, { width: 1000, scheme: 'dark', medium: 'print' });
      assert.ok((await overflow(page)) <= 0, `${await overflow(page)} px too wide`);
      const colours = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      assert.equal(colours, 'rgb(255, 255, 255)');
    });
  }

  it('runs nothing that servers, drivers or plans wrote, and has no element of theirs', async () => {
    const page = await browser.open(await reportOf('broken', makeHostileStudy), {
      width: 1280,
      scheme: 'light',
      medium: 'screen',
    });
    const foreign = await page.evaluate(
      "document.querySelectorAll('script, img, iframe, object, a[href], [onerror], [onload]').length",
    );
    assert.equal(foreign, 0);
    assert.match(String(await page.evaluate('document.body.innerText')), /<img src=x onerror=alert\(1\)>/);
    assert.deepEqual(page.complaints, []);
  });
});
