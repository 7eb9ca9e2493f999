/** Style sheet of report.html. Figures keep a light ground in both schemes, so that their ink stays readable. */

export const htmlStyle = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --ink: #1c1c1c; --faint: #5c5c5c; --rule: #d9d9d9; --panel: #f4f6f8;
  --good: #00694b; --bad: #b3261e; --open: #8a5300; --accent: #0072b2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181b; --ink: #e8e8e8; --faint: #a5a9ae; --rule: #3a3e44; --panel: #202429;
    --good: #5fd3a8; --bad: #ff8a80; --open: #f2b56b; --accent: #64b5f6;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 36px 0 4px; }
.question { margin: 0 0 18px; color: var(--faint); font-style: italic; }
.answer { background: var(--panel); border-left: 4px solid var(--accent); padding: 14px 18px; border-radius: 4px; }
.answer p { margin: 0 0 8px; }
.headline { font-size: 18px; font-weight: 600; }
.cautions { margin: 10px 0 0; padding-left: 20px; color: var(--open); font-size: 14px; }
.note { margin: 0 0 8px; color: var(--faint); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px 4px 0; text-align: left; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; }
td:last-child { white-space: normal; }
td.number, th.number { text-align: right; }
td.good { color: var(--good); font-weight: 600; }
td.bad { color: var(--bad); font-weight: 600; }
td.open { color: var(--open); }
td.even { font-weight: 600; }
tr.begins td { border-top: 2px solid var(--rule); }
tr.chosen td { font-weight: 700; background: var(--panel); }
figure { margin: 28px 0 0; background: #ffffff; border: 1px solid var(--rule); border-radius: 6px; overflow-x: auto; }
figure svg { display: block; margin: 0 auto; max-width: 100%; height: auto; }
pre { background: var(--panel); padding: 10px 14px; border-radius: 4px; overflow-x: auto; font-size: 13px; margin: 0 0 12px; }
@media print { main { max-width: none; padding: 0; } figure { break-inside: avoid; } }
`;
