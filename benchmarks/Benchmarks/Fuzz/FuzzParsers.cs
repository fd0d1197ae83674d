using System.Diagnostics;
using System.Globalization;
using Federated.Aggregation.Randomness;

namespace Federated.Benchmarks.Fuzz;

/// <summary>
/// Every parser that meets the network, fed with mutations of what it takes: no exception but its own refusal, no hang, no allocation out of
/// proportion to its input. The same seed gives the same cases, so that a finding can be looked at.
/// </summary>
[WholeProcess("fuzz", "[cases] [seed] [beginning of a target's name]...  mutated input for every parser that meets the network", "cases:count", "seed:whole", "target:text...")]
internal static class FuzzParsers
{
    /// <summary>Bytes that a parser may allocate for a byte of its input.</summary>
    private const long PerByte = 256;

    public static int Run(string[] args)
    {
        var cases = args.Length > 0 ? long.Parse(args[0], CultureInfo.InvariantCulture) : 10_000_000;
        var seed = args.Length > 1 ? ulong.Parse(args[1], CultureInfo.InvariantCulture) : 1;
        var all = FuzzTargets.All().ToList();
        if (args.Skip(2).FirstOrDefault(name => !all.Exists(t => t.Name.StartsWith(name, StringComparison.Ordinal))) is { } unknown)
        {
            throw new UsageException($"No target's name begins with '{unknown}'; there are {string.Join(", ", all.Select(t => t.Name))}.");
        }

        var targets = all.Where(t => args.Length < 3 || args[2..].Any(name => t.Name.StartsWith(name, StringComparison.Ordinal))).ToList();
        var share = targets.Sum(t => t.Share);
        var failures = 0;
        var done = 0L;
        Console.WriteLine($"{"target",-22}{"cases",12}{"accepted",12}{"refused",12}{"longest ms",12}{"most bytes",12}");
        foreach (var target in targets)
        {
            failures += Fuzz(target, cases * target.Share / share, seed, ref done);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done:N0} cases, seed {seed}: {failures} findings"));
        return failures == 0 ? 0 : 1;
    }

    private static int Fuzz(FuzzTarget target, long cases, ulong seed, ref long done)
    {
        var random = SeededRandom.Derive(seed, $"fuzz {target.Name}");
        var mutator = new Mutator(target.Corpus);
        var (accepted, failures, longest, most) = (0L, 0, 0.0, 0L);
        for (var i = 0L; i < cases; i++)
        {
            var input = mutator.Next(random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var begun = Stopwatch.GetTimestamp();
            string? finding = null;
            try
            {
                accepted += target.Parse(input) ? 1 : 0;
            }
            catch (Exception e)
            {
                finding = e.ToString();
            }

            var milliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            (longest, most) = (Math.Max(longest, milliseconds), Math.Max(most, allocated));
            finding ??= allocated > target.Allowance + (PerByte * input.Length) ? $"allocated {allocated} bytes" : milliseconds > 5000 ? $"took {milliseconds} ms" : null;
            if (finding is not null && failures++ < 3)
            {
                Console.Error.WriteLine($"{target.Name}, case {i}: {finding}\n  {Convert.ToHexStringLower(input.AsSpan(0, Math.Min(1000, input.Length)))}");
            }
        }

        done += cases;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{target.Name,-22}{cases,12:N0}{accepted,12:N0}{cases - accepted - failures,12:N0}{longest,12:F1}{most,12:N0}"));
        return failures;
    }
}

/// <param name="Share">Of the cases, in parts.</param>
/// <param name="Corpus">What the parser takes.</param>
/// <param name="Parse">True when it took the input, false when it refused it in its own words; anything else is a finding.</param>
internal sealed record FuzzTarget(string Name, int Share, IReadOnlyList<byte[]> Corpus, Func<byte[], bool> Parse)
{
    /// <summary>Bytes that it may allocate for an input whatever its length.</summary>
    public long Allowance { get; init; } = 256 << 10;
}
