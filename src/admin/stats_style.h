// The style sheet of the statistics page.
#pragma once

#include <string_view>

namespace admin {

inline constexpr std::string_view kStatsStyle = R"(
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1f2328;--dim:#6b7280;--line:#e2e2df;--head:#f1f1ee;
--up:#dff3e0;--down:#fadcd9;--sinking:#fdf0c8;--rising:#fbe6cf;--drain:#dce9fb;--off:#e7e2ef;--sum:#eef0f2}
@media(prefers-color-scheme:dark){:root{--bg:#16181c;--fg:#e4e6ea;--dim:#959ca8;--line:#2c3038;--head:#1f2329;
--up:#16351f;--down:#4a1d1c;--sinking:#453a12;--rising:#46301a;--drain:#182f4d;--off:#2f2740;--sum:#22262d}}
*{box-sizing:border-box}
body{margin:1rem;background:var(--bg);color:var(--fg);font:13px/1.4 system-ui,sans-serif}
h1{display:inline;font-size:1.3rem}h2{font-size:1.05rem;margin:1.4rem 0 .3rem}h2 a{color:inherit;text-decoration:none}
small,dt,header span{color:var(--dim);font-weight:normal}
a{color:inherit}nav a{margin-right:.8rem}
dl{display:flex;flex-wrap:wrap;gap:.2rem 1.6rem;margin:.6rem 0}dl div{display:flex;gap:.4rem}dd{margin:0;font-weight:600}
header form{margin:.5rem 0}.result{font-weight:600;border-left:4px solid;padding-left:.5rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}
th,td{border:1px solid var(--line);padding:.12rem .45rem;white-space:nowrap;text-align:right}
thead th{background:var(--head);color:var(--dim);font-weight:600;text-align:center}
tbody th,tr>th[scope=row]{text-align:left;position:sticky;left:0;background:inherit}td.t{text-align:left}
td[title],th[title]:not([title=""]){cursor:help}
tr{background:var(--bg)}.up{background:var(--up)}.down{background:var(--down)}.sinking{background:var(--sinking)}
.rising{background:var(--rising)}.drain{background:var(--drain)}.off{background:var(--off)}.sum{background:var(--sum)}
.act{margin:.3rem 0}input,select,button{font:inherit;color:inherit}
)";

}  // namespace admin
