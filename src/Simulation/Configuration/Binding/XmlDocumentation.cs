using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Federated.Simulation.Configuration.Binding;

/// <summary>The XML documentation that the compiler writes beside an assembly, as plain sentences.</summary>
internal static partial class XmlDocumentation
{
    private static readonly ConcurrentDictionary<Assembly, Dictionary<string, XElement>> Files = new();

    /// <summary>Summary, then value; empty when there is none, or no documentation file.</summary>
    public static string Of(PropertyInfo property) =>
        Text(Find(property.DeclaringType!.Assembly, $"P:{Id(property.DeclaringType)}.{property.Name}"));

    public static string Of(Type type) => Text(Find(type.Assembly, $"T:{Id(type)}"));

    /// <summary>Of one name of an enum.</summary>
    public static string Of(Type type, string member) => Text(Find(type.Assembly, $"F:{Id(type)}.{member}"));

    private static string Id(Type type) => type.FullName!.Replace('+', '.');

    private static XElement? Find(Assembly assembly, string id) => Files.GetOrAdd(assembly, static a =>
    {
        var path = Path.ChangeExtension(a.Location, ".xml");
        return File.Exists(path) ? XDocument.Load(path).Descendants("member").ToDictionary(m => (string)m.Attribute("name")!) : [];
    }).GetValueOrDefault(id);

    private static string Text(XElement? member)
    {
        if (member is null)
        {
            return "";
        }

        var text = new StringBuilder();
        foreach (var part in member.Elements().Where(e => e.Name.LocalName is "summary" or "value"))
        {
            Append(text, part);
            text.Append(' ');
        }

        return Spaces().Replace(text.ToString(), " ").Trim();
    }

    private static void Append(StringBuilder text, XElement element)
    {
        foreach (var node in element.Nodes())
        {
            switch (node)
            {
                case XText words:
                    text.Append(words.Value);
                    break;
                case XElement { IsEmpty: true } reference when ((string?)reference.Attribute("cref") ?? (string?)reference.Attribute("langword")) is { } target:
                    var name = target[(target.LastIndexOf('.') + 1)..];
                    // A property is a key here, and keys are camelCase.
                    text.Append(target.StartsWith("P:", StringComparison.Ordinal) ? JsonNamingPolicy.CamelCase.ConvertName(name) : name);
                    break;
                case XElement inner:
                    Append(text, inner);
                    break;
            }
        }
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
