using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Federated.Cli.Tests;

/// <summary>That the files under deploy/ agree with each other, with the build and with what they say: variables, paths, ports, names and versions.</summary>
public sealed partial class DeploymentSettingsTests
{
    /// <summary>What Npgsql reads of the environment, and what the PostgreSQL image does.</summary>
    private static readonly string[] Driver = ["PGPASSWORD", "PGPASSFILE", "PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT"], Database = ["POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "PGDATA"];

    private static readonly string Root = FedProcess.RepositoryRoot;

    private static readonly string[] UnitNames = [.. Directory.EnumerateFiles(Path.Combine(Root, "deploy", "systemd"), "*.service").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Units => [.. UnitNames];

    [Theory]
    [MemberData(nameof(Units))]
    public void AUnitUsesWhatItsEnvironmentFileSetsAndNothingElse(string unit)
    {
        var settings = Settings(unit);
        var used = Braced().Matches(Single(settings, "ExecStart")).Select(match => match.Groups[1].Value).ToHashSet();
        var set = settings.Where(s => s.Key == "EnvironmentFile").SelectMany(s => Lines("systemd", Path.GetFileName(s.Value)))
            .Where(line => !line.StartsWith('#')).Select(line => line.Split('=')[0]).ToHashSet();
        Assert.Empty(used.Except(set));
        Assert.Empty(set.Except(used).Except(Driver));
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void AUnitReadsUnderEtcAndWritesWhereItMay(string unit)
    {
        var settings = Settings(unit);
        var command = Single(settings, "ExecStart");
        var data = DataOption().Match(command).Groups[1].Value;
        Assert.Equal(Single(settings, "ReadWritePaths"), data);
        var home = settings.Where(s => s.Key == "Environment").SelectMany(s => s.Value.Split(' ')).SingleOrDefault(v => v.StartsWith("FED_HOME=", StringComparison.Ordinal));
        Assert.True(home is null || home["FED_HOME=".Length..].StartsWith(data + "/", StringComparison.Ordinal), home);
        Assert.All(
            PathOf().Matches(command).Select(match => match.Groups[1].Value).Where(path => path != data),
            path => Assert.Matches("^(/usr/bin/dotnet|/opt/federated/fed\\.dll|/etc/federated/[a-z]+\\.(crt|key))$", path));
    }

    /// <summary>Passwords and reports do not travel in the clear between machines because somebody copied a file.</summary>
    [Fact]
    public void AServiceOfItsOwnMachineSpeaksTlsToAllOthers()
    {
        Assert.Contains("SSL Mode=VerifyFull", Single(Settings("federated-silo.service"), "ExecStart"), StringComparison.Ordinal);
        Assert.All(UnitNames, unit =>
        {
            var command = Single(Settings(unit), "ExecStart");
            Assert.Contains("--listen https://", command, StringComparison.Ordinal);
            Assert.DoesNotContain("http://", command, StringComparison.Ordinal);
            Assert.DoesNotContain("--plain-silos", command, StringComparison.Ordinal);
        });
        Assert.Contains("COORDINATOR_URL=https://", string.Join('\n', Lines("systemd", "shuffler.env")), StringComparison.Ordinal);
    }

    [SystemdTheory]
    [MemberData(nameof(Units))]
    public void SystemdKnowsEverySettingOfAUnit(string unit)
    {
        using var analyze = Process.Start(new ProcessStartInfo("systemd-analyze", ["verify", Path.Combine(Root, "deploy", "systemd", unit)]) { RedirectStandardError = true })!;
        var said = analyze.StandardError.ReadToEnd();
        analyze.WaitForExit();
        Assert.DoesNotMatch("(?i)unknown|failed to parse|invalid", said); // That a program or a user is not on this machine is no fault of the file.
    }

    [Fact]
    public void TheUnitInTheManualIsTheOneHere()
    {
        var lines = Lines("systemd", "federated.service").ToHashSet();
        var manual = File.ReadAllText(Path.Combine(Root, "docs", "operations.md"));
        var shown = manual[manual.IndexOf("[Unit]", StringComparison.Ordinal)..];
        Assert.All(shown[..shown.IndexOf("```", StringComparison.Ordinal)].Split('\n').Where(line => line.Length > 0), line => Assert.Contains(line, lines));
    }

    [Fact]
    public void EveryVariableIsReadBySomebody()
    {
        var sources = string.Concat(Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var image = Lines("Containerfile").Where(line => line.StartsWith("ENV ", StringComparison.Ordinal)).SelectMany(line => line[4..].Split(' ')).Select(pair => pair.Split('=')[0]);
        var units = UnitNames.SelectMany(Settings).Where(s => s.Key == "Environment").SelectMany(s => s.Value.Split(' ')).Select(pair => pair.Split('=')[0]);
        Assert.All(image.Concat(units), variable => Assert.True(IsRead(variable, "", sources), variable));
        foreach (var (container, words) in Containers().Select(c => (c, Words(c))))
        {
            Assert.All(Variables(container), variable => Assert.True(IsRead(variable, words, sources), variable));
            Assert.All(Expanded().Matches(words).Select(m => m.Groups[1].Value), used => Assert.Contains(used, Variables(container))); // $(NAME), which Kubernetes fills in.
        }
    }

    [Fact]
    public void EveryPathOfAContainerIsOnAVolumeThatThereIs()
    {
        foreach (var pod in Manifests().SelectMany(All).Where(node => node.Children.ContainsKey("containers")))
        {
            var claims = Manifests().Where(d => d.AllNodes.Contains(pod)).SelectMany(d => All(d).Where(n => n.Children.ContainsKey("volumeClaimTemplates"))).SelectMany(n => (YamlSequenceNode)n["volumeClaimTemplates"])
                .Select(claim => claim["metadata"]["name"].ToString());
            var volumes = (pod.Children.TryGetValue("volumes", out var listed) ? ((YamlSequenceNode)listed).Select(v => v["name"].ToString()) : []).Concat(claims).ToList();
            foreach (var container in ((YamlSequenceNode)pod["containers"]).Cast<YamlMappingNode>())
            {
                var mounts = ((YamlSequenceNode)container["volumeMounts"]).Cast<YamlMappingNode>().ToList();
                Assert.All(mounts, mount => Assert.Contains(mount["name"].ToString(), volumes));
                AssertMounted(Words(container), mounts.Select(mount => mount["mountPath"].ToString()));
                if (container["image"].ToString().StartsWith("federated:", StringComparison.Ordinal))
                {
                    Assert.Equal("true", container["securityContext"]["readOnlyRootFilesystem"].ToString());
                }
            }
        }

        foreach (var service in Services().Where(s => s.Children.ContainsKey("volumes")))
        {
            AssertMounted(Words(service), ((YamlSequenceNode)service["volumes"]).Select(v => v.ToString().Split(':')[1]).Concat(["/tmp", "/var/lib/federated"])); // The image's own.
        }
    }

    [Fact]
    public void EveryDatabaseIsTheOneThatStandsBeside()
    {
        var kubernetes = Containers().Single(c => c["image"].ToString().StartsWith("postgres:", StringComparison.Ordinal));
        var names = ((YamlSequenceNode)kubernetes["env"]).Cast<YamlMappingNode>().Where(e => e.Children.ContainsKey("value")).ToDictionary(e => e["name"].ToString(), e => e["value"].ToString());
        var service = Manifests().Single(d => d["kind"].ToString() == "Service" && d["metadata"]["name"].ToString() == "federated-postgres")["metadata"]["name"].ToString();
        AssertConnections(string.Join('\n', Lines("kubernetes", "silos.yaml").Concat(Lines("kubernetes", "first-operator.yaml"))), service, names["POSTGRES_DB"], names["POSTGRES_USER"], 2);

        var compose = (YamlMappingNode)Documents("compose", "compose.yaml").Single()["services"]["postgres"]["environment"];
        AssertConnections(string.Join('\n', Lines("compose", "compose.yaml")), "postgres", compose["POSTGRES_DB"].ToString(), compose["POSTGRES_USER"].ToString(), 3);
    }

    [Fact]
    public void ATrialListensToItsOwnMachineAloneAtThePortsOfItsSilos()
    {
        var silos = Services().Where(s => s.Children.ContainsKey("ports")).ToList();
        Assert.Equal(2, silos.Count);
        foreach (var silo in silos)
        {
            var listens = new Uri(((YamlSequenceNode)silo["command"]).Select(word => word.ToString()).Single(word => word.StartsWith("--listen=", StringComparison.Ordinal))["--listen=".Length..]).Port;
            Assert.All((YamlSequenceNode)silo["ports"], port => Assert.Matches($"^127\\.0\\.0\\.1:[0-9]+:{listens}$", port.ToString()));
        }

        var published = silos.SelectMany(s => (YamlSequenceNode)s["ports"]).Select(port => $"https://localhost:{port.ToString().Split(':')[1]}");
        Assert.Contains($"--server {string.Join(',', published)}", string.Join('\n', Lines("compose", "compose.yaml")), StringComparison.Ordinal);
    }

    [Fact]
    public void TheImageIsTheBuildsAndTheManifests()
    {
        var (image, build) = (string.Join('\n', Lines("Containerfile")), File.ReadAllText(Path.Combine(Root, "Directory.Build.props")));
        Assert.Contains($"ARG ORLEANS_VERSION={Regex.Match(build, "<OrleansVersion[^>]*>([^<]+)<").Groups[1].Value}\n", image, StringComparison.Ordinal);
        var user = Regex.Match(image, "^USER ([0-9]+)$", RegexOptions.Multiline).Groups[1].Value;
        Assert.Contains($"chown {user}:{user} /var/lib/federated", image, StringComparison.Ordinal);
        Assert.All(Manifests().SelectMany(All).SelectMany(n => Values(n, "runAsUser").Concat(Values(n, "fsGroup"))), id => Assert.Equal(user, id));
        Assert.Contains($"chown -R {user} /pki", string.Join('\n', Lines("compose", "compose.yaml")), StringComparison.Ordinal);
        var ports = Manifests().SelectMany(All).Where(n => Values(n, "name").FirstOrDefault() is "https" or "silo").SelectMany(n => Values(n, "containerPort")).Order(StringComparer.Ordinal);
        Assert.Equal(ports, Regex.Match(image, "^EXPOSE (.+)$", RegexOptions.Multiline).Groups[1].Value.Split(' ').Order(StringComparer.Ordinal));

        var version = Regex.Match(build, "<Version>([^<]+)<").Groups[1].Value;
        Assert.All(Containers().Select(c => c["image"].ToString()).Where(i => i.StartsWith("federated", StringComparison.Ordinal)), i => Assert.Equal($"federated:{version}", i));
        Assert.Equal(version, All(Documents("kubernetes", "kustomization.yaml").Single()).SelectMany(n => Values(n, "newTag")).Single());
        Assert.Equal(["ENTRYPOINT [\"dotnet\", \"/opt/federated/fed.dll\"]"], Lines("Containerfile").Where(line => line.StartsWith("ENTRYPOINT", StringComparison.Ordinal)));
    }

    [Fact]
    public void TheManualMakesEverySecretThatIsAskedFor()
    {
        var manual = File.ReadAllText(Path.Combine(Root, "docs", "operations.md"));
        var asked = Manifests().SelectMany(All).Select(node => (Kind: Values(node, "secretName").Any() ? "tls" : "generic", Name: Values(node, "secretName").FirstOrDefault()
            ?? (node.Children.TryGetValue("secretKeyRef", out var reference) ? reference["name"].ToString() : null))).Where(s => s.Name is not null).Distinct().ToList();
        Assert.Equal(3, asked.Count);
        Assert.All(asked, secret => Assert.Contains($"create secret {secret.Kind} {secret.Name} ", manual, StringComparison.Ordinal));
    }

    private static bool IsRead(string variable, string words, string sources) =>
        variable.StartsWith("FED_", StringComparison.Ordinal) ? sources.Contains($"\"{variable}\"", StringComparison.Ordinal)
        : variable is "DOTNET_gcServer" or "DOTNET_EnableDiagnostics" || Driver.Contains(variable) || Database.Contains(variable)
            || words.Contains($"$({variable})", StringComparison.Ordinal) || words.Contains($"${variable}", StringComparison.Ordinal);

    private static void AssertMounted(string words, IEnumerable<string> mounts)
    {
        var folders = mounts.ToList();
        Assert.All(
            PathOf().Matches(words).Select(match => match.Groups[1].Value).Where(path => !Regex.IsMatch(path, "^/(opt/federated|bin|dev)/")),
            path => Assert.True(folders.Any(mount => path == mount || path.StartsWith(mount + "/", StringComparison.Ordinal)), $"{path} is on none of {string.Join(", ", folders)}"));
    }

    private static void AssertConnections(string text, string host, string database, string user, int count)
    {
        var found = Connection().Matches(text);
        Assert.Equal(count, found.Count);
        Assert.All(found, match => Assert.Equal((host, database, user), (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value)));
    }

    private static string[] Lines(params string[] path) => File.ReadAllLines(Path.Combine([Root, "deploy", .. path]));

    private static List<KeyValuePair<string, string>> Settings(string unit) =>
        [.. Lines("systemd", unit).Where(line => !line.StartsWith('#') && line.Contains('=', StringComparison.Ordinal)).Select(line => line.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair[1]))];

    private static string Single(List<KeyValuePair<string, string>> settings, string name) => settings.Single(s => s.Key == name).Value;

    private static List<YamlMappingNode> Documents(params string[] path)
    {
        var stream = new YamlStream();
        using var reader = new StringReader(string.Join('\n', Lines(path)));
        stream.Load(reader);
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    private static List<YamlMappingNode> Manifests() => [.. new[] { "silos.yaml", "first-operator.yaml", "postgres.yaml" }.SelectMany(name => Documents("kubernetes", name))];

    private static IEnumerable<YamlMappingNode> Services() => ((YamlMappingNode)Documents("compose", "compose.yaml").Single()["services"]).Children.Values.Cast<YamlMappingNode>();

    private static IEnumerable<YamlMappingNode> Containers() => Manifests().SelectMany(All).Where(node => node.Children.ContainsKey("image") && node.Children.ContainsKey("name"));

    private static string[] Variables(YamlMappingNode container) =>
        container.Children.TryGetValue("env", out var env) ? [.. ((YamlSequenceNode)env).Select(variable => variable["name"].ToString())] : [];

    private static string Words(YamlMappingNode container) => string.Join('\n', new[] { "command", "args" }
        .Where(key => container.Children.TryGetValue(key, out var list) && list is YamlSequenceNode).SelectMany(key => (YamlSequenceNode)container[key]).Select(word => word.ToString()));

    private static IEnumerable<YamlMappingNode> All(YamlNode node) => node.AllNodes.OfType<YamlMappingNode>();

    private static IEnumerable<string> Values(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value) && value is YamlScalarNode { Value: { } text } ? [text] : [];

    [GeneratedRegex(@"\$\{([A-Z_]+)\}")]
    private static partial Regex Braced();

    [GeneratedRegex(@"\$\(([A-Z_]+)\)")]
    private static partial Regex Expanded();

    [GeneratedRegex(@"--data[ =](\S+)")]
    private static partial Regex DataOption();

    /// <summary>A path that begins a word, or an option's value.</summary>
    [GeneratedRegex(@"(?:^|[\s=>])(/[A-Za-z][\w./-]*)", RegexOptions.Multiline)]
    private static partial Regex PathOf();

    [GeneratedRegex(@"postgres:Host=([\w-]+);Database=(\w+);Username=(\w+)")]
    private static partial Regex Connection();

    /// <summary>Theories that ask systemd's own reader, where there is one.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SystemdTheoryAttribute : TheoryAttribute
    {
        public SystemdTheoryAttribute()
        {
            try
            {
                using var asked = Process.Start(new ProcessStartInfo("systemd-analyze", "--version") { RedirectStandardOutput = true })!;
                asked.WaitForExit();
            }
            catch (Win32Exception)
            {
                Skip = "There is no systemd-analyze on this machine.";
            }
        }
    }
}
