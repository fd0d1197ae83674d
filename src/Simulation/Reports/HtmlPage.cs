using Federated.Simulation.Reports.Charts;

namespace Federated.Simulation.Reports;

/// <summary>The shell of every page: one file without scripts or references, light and dark, readable on a phone and on paper.</summary>
internal static class HtmlPage
{
    // Colours of curves after Okabe and Ito, "Color Universal Design" (2008): told apart by people with any colour vision. The dark
    // page has the same hues, lighter where they would sink.
    private const string Style = """
        :root{color-scheme:light dark;--page:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#5a6370;--grid:#dfe3e8;--axis:#8a94a0;--warn:#fff3d6;
        --c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#cc79a7;--c4:#e69f00;--c5:#56b4e9;--c6:#1b1f24;--c7:#9a8c00;
        --download:#56b4e9;--train:#0072b2;--upload:#009e73;--rejected:#e69f00;--lost:#d55e00}
        @media(prefers-color-scheme:dark){:root{--page:#14171b;--card:#1d2127;--ink:#e8ebef;--soft:#a3adb8;--grid:#323943;--axis:#76808c;--warn:#3d3214;
        --c0:#56b4e9;--c1:#f08a4b;--c2:#2fc49a;--c3:#e3a3c6;--c4:#f2b53d;--c5:#9ad4f5;--c6:#e8ebef;--c7:#f0e442;
        --download:#9ad4f5;--train:#3d9fdb;--upload:#2fc49a;--rejected:#f2b53d;--lost:#f08a4b}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:1180px;margin:0 auto;padding:24px 20px 60px}
        h1{font-size:1.7rem;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:1.2rem;margin:36px 0 10px}h3{font-size:1rem;margin:0 0 6px}
        p{margin:6px 0}.soft{color:var(--soft)}.note{background:var(--warn);border-radius:8px;padding:10px 14px;margin:14px 0}
        .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:18px 0 0;padding:0}
        .facts div{background:var(--card);border-radius:10px;padding:10px 14px}.facts dt{color:var(--soft);font-size:.82rem}
        .facts dd{margin:0;font-size:1.2rem;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}.facts small{display:block;font-weight:400;font-size:.78rem;color:var(--soft)}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:14px;margin-top:14px}
        figure{margin:0;background:var(--card);border-radius:10px;padding:14px;min-width:0}figure.wide{grid-column:1/-1}
        figcaption{color:var(--soft);font-size:.86rem;margin-top:6px}
        svg{display:block;width:100%;height:auto;font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}.scroll{overflow-x:auto}
        .grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--axis);stroke-width:1}.tick{fill:var(--soft)}.label{fill:var(--soft)}
        .reference{stroke:var(--axis);stroke-width:1.5;stroke-dasharray:5 4}.curve{fill:none;stroke-width:2;stroke-linejoin:round}
        .hint{fill:transparent}.hint:hover{fill:currentColor}.bar{fill:var(--c0)}
        .c0{stroke:var(--c0);color:var(--c0)}.c1{stroke:var(--c1);color:var(--c1)}.c2{stroke:var(--c2);color:var(--c2)}.c3{stroke:var(--c3);color:var(--c3)}
        .c4{stroke:var(--c4);color:var(--c4)}.c5{stroke:var(--c5);color:var(--c5)}.c6{stroke:var(--c6);color:var(--c6)}.c7{stroke:var(--c7);color:var(--c7)}
        .c1.curve{stroke-dasharray:7 3}.c2.curve{stroke-dasharray:2 3}.c3.curve{stroke-dasharray:9 3 2 3}.c5.curve{stroke-dasharray:7 3}.c6.curve{stroke-dasharray:2 3}.c7.curve{stroke-dasharray:9 3 2 3}
        .hint{stroke:none}.dot{fill:currentColor;stroke:none;fill-opacity:.82}
        .download{fill:var(--download)}.train{fill:var(--train)}.upload{fill:var(--upload)}.rejected{fill:var(--rejected)}.lost{fill:var(--lost);fill-opacity:.55}
        .sign{stroke:var(--ink);stroke-width:1.4;fill:none}.publish{fill:var(--soft)}
        .legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:0 0 8px;padding:0;list-style:none;font-size:.86rem;color:var(--soft)}
        .legend svg{display:inline-block;width:26px;height:12px;margin-right:6px;vertical-align:-1px}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem;min-width:100%}th,td{text-align:right;padding:4px 8px;border-bottom:1px solid var(--grid);white-space:nowrap}
        th:first-child,td:first-child,.words th:nth-child(2),.words td:nth-child(2){text-align:left}.words td:nth-child(2){white-space:normal;min-width:11em}thead th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom}caption{text-align:left;color:var(--soft);padding-bottom:6px}
        details{margin-top:10px}summary{cursor:pointer;color:var(--soft)}pre{overflow-x:auto;background:var(--card);border-radius:10px;padding:14px;font-size:.85rem;line-height:1.45}
        footer{margin-top:40px;color:var(--soft);font-size:.86rem}.empty{color:var(--soft)}
        @media(max-width:560px){main{padding:16px 12px 40px}.facts{grid-template-columns:repeat(2,1fr)}figure{padding:10px}}
        @media print{figure,.facts div,pre{break-inside:avoid}}
        """;

    public static string Render(string title, Markup body) => "<!doctype html>\n" + new Markup().Add(
        $"""<html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width,initial-scale=1"/><title>{title}</title><style>{Trusted(Style)}</style></head><body><main>{body}<footer>Written by fed; everything is in this file, nothing is loaded.</footer></main></body></html>""") + "\n";

    public static Markup Figure(string title, Markup content, string caption = "", bool isWide = false, Markup? legend = null)
    {
        var figure = new Markup();
        figure.Add($"""<figure{Trusted(isWide ? " class=\"wide\"" : "")}><h3>{title}</h3>{legend ?? new Markup()}<div{Trusted(isWide ? " class=\"scroll\"" : "")}>{content}</div>""");
        if (caption.Length > 0)
        {
            figure.Add($"<figcaption>{caption}</figcaption>");
        }

        return figure.Add($"</figure>\n");
    }

    /// <summary>Names of curves beside a piece of each.</summary>
    public static Markup CurveLegend(IEnumerable<string> names)
    {
        var legend = new Markup().Add($"""<ul class="legend">""");
        foreach (var (name, i) in names.Select((name, i) => (name, i)))
        {
            legend.Add($"""<li><svg viewBox="0 0 26 12" aria-hidden="true"><path class="curve c{i % 8}" d="M0 6H26"/></svg>{name}</li>""");
        }

        return legend.Add($"</ul>");
    }

    /// <summary>Names of areas beside their colour, and what else the picture needs said.</summary>
    public static Markup AreaLegend(string last, params IEnumerable<(string Name, string Class)> areas)
    {
        var legend = new Markup().Add($"""<ul class="legend">""");
        foreach (var (name, kind) in areas)
        {
            legend.Add($"""<li><svg viewBox="0 0 26 12" aria-hidden="true"><rect class="{kind}" width="26" height="12" rx="2"/></svg>{name}</li>""");
        }

        return legend.Add($"<li>{last}</li></ul>");
    }

    /// <param name="hasWords">Whether the second column is text too.</param>
    public static Markup Table(string caption, IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows, bool hasWords = false)
    {
        var table = new Markup().Add($"""<div class="scroll"><table class="{(hasWords ? "words" : "numbers")}"><caption>{caption}</caption><thead><tr>""");
        foreach (var cell in header)
        {
            table.Add($"""<th scope="col">{cell}</th>""");
        }

        table.Add($"</tr></thead><tbody>");
        foreach (var row in rows)
        {
            table.Add($"<tr>");
            foreach (var cell in row)
            {
                table.Add($"<td>{cell}</td>");
            }

            table.Add($"</tr>");
        }

        return table.Add($"</tbody></table></div>\n");
    }

    public static Markup Facts(params IEnumerable<(string Name, string Value, string Note)> facts)
    {
        var list = new Markup().Add($"""<dl class="facts">""");
        foreach (var (name, value, note) in facts)
        {
            list.Add($"<div><dt>{name}</dt><dd>{value}");
            if (note.Length > 0)
            {
                list.Add($"<small>{note}</small>");
            }

            list.Add($"</dd></div>");
        }

        return list.Add($"</dl>\n");
    }

    public static Markup Details(string summary, Markup content) => new Markup().Add($"<details><summary>{summary}</summary>{content}</details>\n");

    private static Markup Trusted(string literal)
    {
        var markup = new Markup();
        var handler = new Markup.Handler(literal.Length, 0, markup);
        handler.AppendLiteral(literal);
        return markup.Add(ref handler);
    }
}
