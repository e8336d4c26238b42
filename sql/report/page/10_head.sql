-- The head of the page: its title and its styles.  A mail client that drops
-- styles shows headings, sentences and tables in their order.
SELECT xmlelement(name head,
    xmlelement(name meta, xmlattributes('utf-8' AS charset)),
    xmlelement(name meta, xmlattributes('viewport' AS name, 'width=device-width, initial-scale=1' AS content)),
    xmlelement(name title, 'Week of ' || to_char($2, 'FMDD Mon YYYY') || ': ' || s.agreement),
    xmlelement(name style, $css$
:root { color-scheme: light dark; --text: #1d2433; --soft: #56607a; --line: #d5dae5; --back: #ffffff; --panel: #f4f6fa; --good: #1f6f4a; --bad: #b42318; --mark: #2456b3; --grey: #8b94a8; --second: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9f0; --soft: #a9b2c6; --line: #3a4358; --back: #141923; --panel: #1d2431; --good: #6fd3a2; --bad: #ff9d92; --mark: #8fb4ff; --grey: #7f899e; --second: #e2b25c; } }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .4rem; padding-top: .6rem; border-top: 1px solid var(--line); }
h2.first { margin-top: .8rem; border: 0; padding: 0; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .3rem 0 .6rem; }
small, .soft { color: var(--soft); font-size: .85rem; }
.say { background: var(--panel); margin: .3rem 0 .8rem; padding: .8rem 1rem .8rem 2.2rem; border-radius: .4rem; font-size: 1.05rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; padding: .8rem 0 .3rem; color: var(--soft); }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td, li, p { overflow-wrap: break-word; min-width: 0; }
td.w { overflow-wrap: anywhere; min-width: 6rem; }
li, p { overflow-wrap: anywhere; }
h2 + p, h3 + p { font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.good { color: var(--good); }
td, li, p { unicode-bidi: plaintext; }
svg { display: block; width: 100%; max-width: 46rem; height: auto; }
td svg { width: 7rem; }
svg text { fill: var(--text); font: 12px system-ui, sans-serif; }
ul, ol { padding-left: 1.2rem; margin: .3rem 0 .6rem; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 0; }
svg .soft { fill: var(--soft); font-size: 12px; }
.f-bar { fill: var(--mark); } .f-bad { fill: var(--bad); } .f-good { fill: var(--good); } .f-grey { fill: var(--grey); } .f-back { fill: var(--line); }
.s-bar { stroke: var(--mark); } .s-bad { stroke: var(--bad); } .s-good { stroke: var(--good); } .s-grey { stroke: var(--grey); } .s-second { stroke: var(--second); } .s-line { stroke: var(--line); }
.line { fill: none; stroke-width: 2; }
.dot { stroke-width: 2; } .hollow { fill: var(--back); }
.s-bar.full { fill: var(--mark); } .s-second.full { fill: var(--second); } .s-good.full { fill: var(--good); } .s-grey.full { fill: var(--grey); }
@media print { :root { color-scheme: light; font-size: 10.5px; --text: #1d2433; --soft: #56607a; --line: #d5dae5; --back: #ffffff; --panel: #f4f6fa; --good: #1f6f4a; --bad: #b42318; --mark: #2456b3; --grey: #8b94a8; --second: #8a5a00; } body { font-size: 1rem; } .scroll { overflow: visible; } main { max-width: none; padding: 0; } h2 { break-after: avoid; } table, svg { break-inside: avoid; } @page { size: A4; margin: 14mm; } }
@media (max-width: 40rem) { main { padding: .6rem; } h1 { font-size: 1.3rem; } table { font-size: .85rem; } .chart text, .chart .soft { font-size: 18px; } .chart .wide { display: none; } }
$css$))
FROM {report_settings} AS s
