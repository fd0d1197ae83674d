using System.Text.RegularExpressions;

namespace Federated.Cli.Tests;

/// <summary>What the Markdown files of this repository promise: links lead somewhere, and commands are commands.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] NotOurs = [".git", "node_modules", "artifacts", "bin", "obj", "results", "TestResults"];

    /// <summary>Verbs of <c>./fed</c> itself, which the command line does not have.</summary>
    private static readonly string[] Script = ["test", "bench", "engines"];

    private static string Root { get; } = FindRoot();

    public static TheoryData<string> Files => [.. Markdown(Root).Select(file => Path.GetRelativePath(Root, file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryLinkOfAFileLeadsSomewhere(string file)
    {
        var path = Path.Combine(Root, file);
        var text = Fence().Replace(File.ReadAllText(path), "");
        var broken = Link().Matches(text).Select(match => match.Groups[1].Value).Where(link => !Scheme().IsMatch(link) && !Leads(path, link)).ToList();
        Assert.True(broken.Count == 0, $"{file} links to what is not there: {string.Join(", ", broken)}");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryCommandOfAFileIsUnderstood(string file)
    {
        using var terminal = new Terminal(TextWriter.Null, TextWriter.Null, isLive: false, TimeProvider.System);
        var wrong = Commands(File.ReadAllText(Path.Combine(Root, file)))
            .SelectMany(command => CommandLine.ProblemsOf(Words(command.Text), terminal)
                .Where(problem => command.IsWhole || !Lacks().IsMatch(problem)).Select(problem => $"fed {command.Text}: {problem}")).Distinct().ToList();
        Assert.True(wrong.Count == 0, $"{file} shows what the command line does not take:\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void CommandsAreFoundInBlocksAndInText()
    {
        const string Text = """
            Try `fed run FILE.yaml --pace 3`, or

            ```sh
            ./fed demo --dashboard       # with pages
            FED_SLOW_TESTS=1 ./fed test
            ./fed run a.yaml \
              --seed 2 > log.txt
            ./fed serve                  a coordinator on this machine
            ```
            """;
        Assert.Equal([("demo --dashboard", true), ("run a.yaml --seed 2", true), ("serve", true), ("run FILE.yaml --pace 3", false)], Commands(Text));
    }

    private static IEnumerable<string> Markdown(string folder) =>
        Directory.EnumerateFiles(folder, "*.md").Concat(
            Directory.EnumerateDirectories(folder).Where(child => !NotOurs.Contains(Path.GetFileName(child))).SelectMany(Markdown));

    private static bool Leads(string from, string link)
    {
        var parts = link.Split('#', 2);
        var target = parts[0].Length == 0 ? from : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(from)!, Uri.UnescapeDataString(parts[0])));
        if (!File.Exists(target) && !Directory.Exists(target))
        {
            return false;
        }

        return parts.Length == 1 || !target.EndsWith(".md", StringComparison.Ordinal)
            || Heading().Matches(Fence().Replace(File.ReadAllText(target), "")).Any(heading => Slug(heading.Groups[1].Value) == parts[1]);
    }

    /// <summary>As code hosts make it: lower case, punctuation dropped, spaces to hyphens.</summary>
    private static string Slug(string heading) =>
        Punctuation().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    /// <summary>
    /// What is shown as typed, without <c>fed</c> itself, comments and redirections: lines of blocks, which are whole, and code in sentences,
    /// which may be a verb alone.
    /// </summary>
    private static IEnumerable<(string Text, bool IsWhole)> Commands(string text)
    {
        var inBlocks = Fence().Matches(text).SelectMany(block => block.Value.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')).Select(line => (Match: Typed().Match(line.Trim()), IsWhole: true));
        var inText = Code().Matches(Fence().Replace(text, "")).Select(code => (Match: Spoken().Match(code.Groups[1].Value), IsWhole: false));
        return inBlocks.Concat(inText).Where(found => found.Match.Success)
            .Select(found => (Text: Spaces().Replace(End().Replace(found.Match.Groups[1].Value, "").Trim(), " "), found.IsWhole))
            .Where(command => command.Text.Length > 0 && !Script.Contains(command.Text.Split(' ')[0]) && !Abridged().IsMatch(command.Text));
    }

    private static string[] Words(string command) => [.. Word().Matches(command).Select(match => match.Value.Replace("\"", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal))];

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Federated.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run within the repository.");
        }

        return folder;
    }

    [GeneratedRegex(@"^ *(```|~~~).*?^ *\1 *$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\(<?([^)\s>]+)>?(?:\s+""[^""]*"")?\)")]
    private static partial Regex Link();

    [GeneratedRegex("^[a-z][a-z+.-]*:", RegexOptions.IgnoreCase)]
    private static partial Regex Scheme();

    [GeneratedRegex("^#{1,6} +(.+?) *#*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\s-]")]
    private static partial Regex Punctuation();

    // "There is no `fed x`" is no promise.
    [GeneratedRegex("(?<!\\bno )`([^`\n]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\./)?fed(?: (.+))?$")]
    private static partial Regex Typed();

    [GeneratedRegex(@"^(?:[A-Z_]+=\S+ )*(?:\./)?fed (.+)$")]
    private static partial Regex Spoken();

    // A comment, an explanation in a column of its own, a pipe, a redirection, a second command.
    [GeneratedRegex(@"(\s+#|\s{2,}[^\s-]|\s*[|>&;]).*$")]
    private static partial Regex End();

    // Several verbs in one line, or words left out.
    [GeneratedRegex(@"^\w+,|…|\.\.\.")]
    private static partial Regex Abridged();

    // What the parser says of a command that is not whole.
    [GeneratedRegex("^Required command|is required|^<[a-z]+> is missing|^--[a-z0-9-]+ needs a value")]
    private static partial Regex Lacks();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"(?:[^\s""']+|""[^""]*""|'[^']*')+")]
    private static partial Regex Word();
}
