/** Style sheet of report.html, for screens of any width, both colour schemes, and paper. */
import { faint, ink, paper, rule } from './chart-style.ts';

/** Figures are drawn in the light scheme's colours; style rules outrank the attributes that name them. */
const recoloured = (['fill', 'stroke'] as const)
  .flatMap((attribute) => [
    `figure svg [${attribute}="${paper}"] { ${attribute}: var(--ground); }`,
    `figure svg [${attribute}="${ink}"] { ${attribute}: var(--ink); }`,
    `figure svg [${attribute}="${faint}"] { ${attribute}: var(--faint); }`,
    `figure svg [${attribute}="${rule}"] { ${attribute}: var(--rule); }`,
  ])
  .join('\n');

export const htmlStyle = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --ink: #1c1c1c; --faint: #5c5c5c; --rule: #d9d9d9; --panel: #f4f6f8;
  --good: #00694b; --bad: #b3261e; --open: #8a5300; --accent: #0072b2;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #16181b; --ink: #e8e8e8; --faint: #a5a9ae; --rule: #3a3e44; --panel: #202429;
    --good: #5fd3a8; --bad: #ff8a80; --open: #f2b56b; --accent: #64b5f6;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 36px 0 4px; }
.question { margin: 0 0 18px; color: var(--faint); font-style: italic; }
.answer { background: var(--panel); border-left: 4px solid var(--accent); padding: 16px 20px; border-radius: 4px; }
.answer p { margin: 0 0 6px; font-size: 14px; }
.answer .headline { font-size: 19px; font-weight: 600; line-height: 1.35; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 14px 0; }
.tiles div { background: var(--ground); border: 1px solid var(--rule); border-radius: 4px; padding: 10px 14px; }
.tiles dt { color: var(--faint); font-size: 12px; }
.tiles dd { margin: 0; font-variant-numeric: tabular-nums; }
.tiles .value { font-size: 19px; font-weight: 600; }
.tiles .beside { color: var(--faint); font-size: 12px; }
.cautions { margin: 10px 0 0; padding-left: 20px; color: var(--open); font-size: 14px; }
.note { margin: 0 0 8px; color: var(--faint); font-size: 13px; }
.scroll { overflow-x: auto; }
details.cell { border-bottom: 1px solid var(--rule); padding: 4px 0; }
details.cell summary { cursor: pointer; font-size: 14px; }
details.cell p { margin: 4px 0; font-size: 13px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 11px 4px 0; text-align: left; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
td:last-child:not(.number) { white-space: normal; min-width: 15em; }
td.again { color: transparent; }
td.number, th.number { text-align: right; }
td.good { color: var(--good); font-weight: 600; }
td.bad { color: var(--bad); font-weight: 600; }
td.open { color: var(--open); }
td.even { font-weight: 600; }
tr.begins td { border-top: 2px solid var(--rule); }
tr:has(+ tr:not(.begins) td.again) td { border-bottom-color: transparent; }
tr.chosen td { font-weight: 700; background: var(--panel); }
figure { margin: 32px 0 0; overflow-x: auto; }
figure svg { display: block; max-width: 100%; min-width: 760px; height: auto; }
${recoloured}
pre { background: var(--panel); padding: 10px 14px; border-radius: 4px; overflow-x: auto; font-size: 13px; margin: 0 0 12px; }
@media (max-width: 600px) { main { padding: 18px 14px 48px; } h1 { font-size: 22px; } }
@media print {
  :root { color-scheme: light; }
  main { max-width: none; padding: 0; }
  figure { break-inside: avoid; overflow: visible; }
  figure svg { min-width: 0; }
  .scroll { overflow: visible; }
  table { font-size: 10px; }
  th, td { white-space: normal; padding-right: 6px; }
  td:last-child:not(.number) { min-width: 0; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
`;
