using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Federated.Cli.Tests;

/// <summary>What stands under deploy/: that it parses, and that every command, address and port in it is one that there is.</summary>
public sealed partial class DeploymentTests
{
    private static string Folder { get; } = Path.Combine(FedProcess.RepositoryRoot, "deploy");

    private static IReadOnlyList<string> Names { get; } =
        [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Folder, file)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Files => [.. Names];

    public static TheoryData<string> Manifests => [.. Names.Where(name => name.EndsWith(".yaml", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryCommandIsUnderstood(string file)
    {
        using var terminal = new Terminal(TextWriter.Null, TextWriter.Null, isLive: false, TimeProvider.System);
        var wrong = Commands(file).SelectMany(words => CommandLine.ProblemsOf(words, terminal).Select(problem => $"fed {string.Join(' ', words)}: {problem}")).ToList();
        Assert.True(wrong.Count == 0, $"{file} gives what the command line does not take:\n{string.Join('\n', wrong)}");
    }

    [Theory]
    [InlineData("compose/compose.yaml", 7)]
    [InlineData("kubernetes/silos.yaml", 1)]
    [InlineData("kubernetes/first-operator.yaml", 2)]
    [InlineData("systemd/federated.service", 1)]
    [InlineData("systemd/federated-silo.service", 1)]
    [InlineData("systemd/federated-shuffler.service", 1)]
    public void TheCommandsAreFound(string file, int count) => Assert.Equal(count, Commands(file).Count);

    [Theory]
    [MemberData(nameof(Manifests))]
    public void EveryManifestParses(string file) => Assert.All(Documents(file), document => Assert.IsType<YamlMappingNode>(document));

    [Theory]
    [MemberData(nameof(Manifests))]
    public void EveryProbeAsksAnAddressThatTheCoordinatorAnswers(string file)
    {
        var served = string.Concat(Directory.EnumerateFiles(Path.Combine(FedProcess.RepositoryRoot, "src", "Coordinator", "Http"), "*.cs").Select(File.ReadAllText));
        foreach (var path in Documents(file).SelectMany(All).SelectMany(node => Values(node, "path").Concat(Values(node, "prometheus.io/path"))).Where(path => path.StartsWith('/')))
        {
            Assert.Contains($"MapGet(\"{path}\"", served, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ThePortsOfTheSilosAgree()
    {
        var documents = Documents("kubernetes/silos.yaml");
        var container = documents.SelectMany(All).Single(node => Values(node, "containerPort").Any() is false && node.Children.ContainsKey("args"));
        var ports = ((YamlSequenceNode)container["ports"]).Cast<YamlMappingNode>().ToDictionary(p => p["name"].ToString(), p => Number(p["containerPort"]));
        var command = Commands("kubernetes/silos.yaml").Single();
        Assert.Equal(ports["https"], new Uri(Option(command, "--listen")).Port);
        Assert.Equal(ports["silo"], int.Parse(Option(command, "--port"), CultureInfo.InvariantCulture));
        var probes = documents.SelectMany(All).Where(node => node.Children.ContainsKey("httpGet")).Select(node => (YamlMappingNode)node["httpGet"]).ToList();
        var services = documents.Where(node => node["kind"].ToString() == "Service").ToList();
        Assert.NotEmpty(probes);
        Assert.NotEmpty(services);
        foreach (var probe in probes)
        {
            Assert.Contains(probe["port"].ToString(), ports);
            Assert.Equal("HTTPS", probe["scheme"].ToString());
        }

        foreach (var service in services)
        {
            Assert.All((YamlSequenceNode)service["spec"]["ports"], port => Assert.Contains(port["targetPort"].ToString(), ports));
        }

        var policy = documents.Single(node => node["kind"].ToString() == "NetworkPolicy");
        Assert.Equal(ports.Values.Order(), All(policy).SelectMany(node => Values(node, "port")).Select(port => int.Parse(port, CultureInfo.InvariantCulture)).Order());
    }

    [Fact]
    public void NoPasswordStandsOnACommandLine() => Assert.All(
        Names, name => Assert.All(Commands(name), words => Assert.DoesNotContain(words, word => word.Contains("password", StringComparison.OrdinalIgnoreCase))));

    /// <summary>Every call of fed in a file, in words; what is filled in later stands for itself.</summary>
    private static List<string[]> Commands(string file)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));
        var typed = file.EndsWith(".md", StringComparison.Ordinal) || !text.Contains("fed.dll", StringComparison.Ordinal) ? [] : Typed().Matches(Comment().Replace(text, ""))
            .Select(match => Word().Matches(match.Groups[1].Value).Select(word => word.Value.Replace("\"", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal)).ToArray());
        var listed = !file.EndsWith(".yaml", StringComparison.Ordinal) ? [] : Documents(file).SelectMany(All)
            .SelectMany(node => new[] { "args", "command" }.Where(key => node.Children.TryGetValue(key, out var list) && list is YamlSequenceNode).Select(key => (YamlSequenceNode)node[key]))
            .Select(list => list.Select(item => item.ToString()).ToArray()).Where(words => words is ["silo" or "serve" or "shuffler", ..]);
        return [.. typed.Concat(listed)];
    }

    private static List<YamlMappingNode> Documents(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(Path.Combine(Folder, file));
        stream.Load(reader);
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    private static IEnumerable<YamlMappingNode> All(YamlNode node) => node.AllNodes.OfType<YamlMappingNode>();

    private static IEnumerable<string> Values(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value) && value is YamlScalarNode { Value: { } text } ? [text] : [];

    private static int Number(YamlNode node) => int.Parse(node.ToString(), CultureInfo.InvariantCulture);

    private static string Option(string[] command, string name) => command.Single(word => word.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];

    /// <summary>Up to a redirection, a background mark or the line's end.</summary>
    [GeneratedRegex(@"fed\.dll ((?:""[^""]*""|'[^']*'|[^\n&|;""'<>](?<!\s2(?=>)))+)")]
    private static partial Regex Typed();

    [GeneratedRegex(@"(?:""[^""]*""|'[^']*'|[^\s""'])+")]
    private static partial Regex Word();

    [GeneratedRegex("^ *#.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
