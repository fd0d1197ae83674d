using System.Globalization;

namespace Federated.Benchmarks;

/// <summary>What was written does not fit the benchmark; the message says what does.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Holds a command line against what a benchmark takes, before it starts anything.</summary>
/// <remarks>
/// An argument is described as <c>name:kind</c>; kinds are <c>count</c> (a whole number of 1 or more), <c>whole</c> (0 or more), <c>number</c>, <c>counts</c> (several with
/// commas between), <c>text</c>, and words with '|' between. The last may end with <c>...</c>: it may come any number of times. All may be left out, from the end.
/// </remarks>
internal static class Arguments
{
    private const string Repeated = "...";

    /// <exception cref="UsageException">Something was written that the benchmark does not take.</exception>
    public static void Require(WholeProcessAttribute about, IReadOnlyList<string> args)
    {
        if (args.Count > 0 && about.Inner.Contains(args[0]))
        {
            return;
        }

        var given = WithoutOptions(about, args);
        for (var i = 0; i < given.Count; i++)
        {
            var described = i < about.Takes.Count ? about.Takes[i] : about.Takes is [.., var last] && last.EndsWith(Repeated, StringComparison.Ordinal) ? last : null;
            var parts = described?.Split(':', 2);
            var kind = parts?[1] is { } written && written.EndsWith(Repeated, StringComparison.Ordinal) ? written[..^Repeated.Length] : parts?[1];
            if (kind is null)
            {
                throw new UsageException($"'{about.Name}' takes {(about.Takes.Count == 0 ? "no arguments" : $"{about.Takes.Count} at most")}, and '{given[i]}' is one more.");
            }

            if (!Fits(given[i], kind))
            {
                throw new UsageException($"'{given[i]}' is no {parts![0]} of '{about.Name}': {Words(kind)} is needed.");
            }
        }
    }

    private static List<string> WithoutOptions(WholeProcessAttribute about, IReadOnlyList<string> args)
    {
        List<string> given = [];
        for (var i = 0; i < args.Count; i++)
        {
            if (about.Options.Contains(args[i]))
            {
                if (++i == args.Count)
                {
                    throw new UsageException($"{args[i - 1]} needs a value.");
                }
            }
            else if (args[i].StartsWith("--", StringComparison.Ordinal))
            {
                throw new UsageException($"'{about.Name}' has no option {args[i]}{(about.Options.Length > 0 ? $"; it has {string.Join(", ", about.Options)}" : "")}.");
            }
            else
            {
                given.Add(args[i]);
            }
        }

        return given;
    }

    private static bool Fits(string written, string kind) => kind switch
    {
        "count" => IsWhole(written, 1),
        "whole" => IsWhole(written, 0),
        "number" => double.TryParse(written, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) && number > 0,
        "counts" => written.Split(',').All(part => IsWhole(part, 1)),
        "text" => written.Length > 0,
        _ => kind.Split('|').Contains(written),
    };

    private static bool IsWhole(string written, long least) => long.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) && whole >= least;

    private static string Words(string kind) => kind switch
    {
        "count" => "a whole number of 1 or more",
        "whole" => "a whole number",
        "number" => "a number above 0",
        "counts" => "a list of whole numbers, with commas between,",
        "text" => "a text",
        _ => $"one of {string.Join(", ", kind.Split('|'))}",
    };
}
