using Federated.Privacy.Randomness;

namespace Federated.Privacy.Analytics;

/// <summary>
/// One question to many clients, each of which answers with one ε₀-locally private report of fixed size; the server estimates with intervals. Whatever
/// two answers a client may have, no report is e^ε₀ times likelier under one than under the other. Broken by a second report, which costs ε₀ again:
/// whoever gives out the question counts.
/// </summary>
/// <remarks>Groups and hash seeds are public and do not depend on data (<see cref="Ticket"/>); where clients are not trusted, the server assigns them.</remarks>
public abstract class PrivateAnalysis
{
    private protected PrivateAnalysis(AnalysisOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!(options.Confidence is >= 0.5 and < 1))
        {
            throw new PrivacyException($"An interval needs a confidence in [0.5, 1); it is {options.Confidence}.");
        }

        Options = options;
    }

    public AnalysisOptions Options { get; }

    /// <summary>One of <see cref="AnalysisKinds"/>.</summary>
    public abstract string Kind { get; }

    /// <summary>The exact ε₀ of a report, at most the one asked for.</summary>
    public abstract double Epsilon { get; }

    /// <summary>Size of every report.</summary>
    public abstract int ReportBytes { get; }

    /// <summary>Groups that clients are split into by public coins; 1 for none.</summary>
    public virtual int Groups => 1;

    /// <summary>Whether answers are numbers; else they are texts.</summary>
    public abstract bool AsksForNumber { get; }

    /// <summary>Names of what is estimated, in order; null where they are themselves estimated.</summary>
    public abstract IReadOnlyList<string>? Names { get; }

    public static PrivateAnalysis Create(AnalysisOptions options) => options switch
    {
        MeanOptions mean => new MeanAnalysis(mean),
        HistogramOptions histogram => new HistogramAnalysis(histogram),
        QuantilesOptions quantiles => new QuantilesAnalysis(quantiles),
        HeavyHittersOptions words => new HeavyHittersAnalysis(words),
        null => throw new ArgumentNullException(nameof(options)),
        _ => throw new PrivacyException($"There is no analysis of options {options.GetType().Name}."),
    };

    /// <summary>The client's side.</summary>
    /// <param name="answer">What the client's data say.</param>
    /// <param name="ticket">Its group and seed.</param>
    /// <param name="report"><see cref="ReportBytes"/> bytes; overwritten.</param>
    /// <param name="random">Cryptographic where the guarantee is to hold.</param>
    public void Randomize(AnalysisAnswer answer, Ticket ticket, Span<byte> report, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        CheckSize(report.Length);
        if ((uint)ticket.Group >= (uint)Groups)
        {
            throw new PrivacyException($"The group must be below {Groups}; it is {ticket.Group}.");
        }

        if (AsksForNumber && !double.IsFinite(answer.Number))
        {
            throw new PrivacyException($"The {Kind} asks for a finite number; this client has {answer.Number}.");
        }

        report.Clear();
        Write(answer, ticket, report, random);
    }

    /// <summary>Why the bytes are no report of the ticket; null when they are one. Thread-safe.</summary>
    public string? Problem(ReadOnlySpan<byte> report, Ticket ticket) => report.Length != ReportBytes
        ? $"a report has {ReportBytes} bytes; this one has {report.Length}"
        : (uint)ticket.Group >= (uint)Groups ? $"there are {Groups} groups; this report is of group {ticket.Group}" : Look(report, ticket);

    /// <summary>The ticket of a report whose seed its client drew itself, so that nothing in it tells whose it is: of hashed reports the seed comes first.</summary>
    /// <param name="group">Of its batch.</param>
    /// <param name="report">As it came.</param>
    public static Ticket OwnTicket(int group, ReadOnlySpan<byte> report) =>
        new(group, report.Length >= sizeof(ulong) ? System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(report) : 0);

    /// <summary>The server's side: estimates with intervals from all reports. Their order does not matter, to the bit.</summary>
    /// <exception cref="PrivacyException">There are too few reports to estimate anything.</exception>
    public abstract AnalysisResult Estimate(ReportStore reports);

    private protected abstract void Write(AnalysisAnswer answer, Ticket ticket, Span<byte> report, IRandomSource random);

    private protected abstract string? Look(ReadOnlySpan<byte> report, Ticket ticket);

    private protected void CheckSize(int length)
    {
        if (length != ReportBytes)
        {
            throw new PrivacyException($"A report of this {Kind} has {ReportBytes} bytes; this one has {length}.");
        }
    }

    private protected static void CheckRange(double lower, double upper)
    {
        if (!double.IsFinite(lower) || !double.IsFinite(upper) || !(lower < upper))
        {
            throw new PrivacyException($"The range must be finite, its lower end below its upper one; they are {lower} and {upper}.");
        }
    }

    /// <summary>z of a two-sided interval.</summary>
    private protected double Reach => Numerics.NormalDistribution.UpperQuantile((1 - Options.Confidence) / 2);
}

/// <summary>What a client's data say: a number or a text, by the question.</summary>
public readonly record struct AnalysisAnswer(double Number, string Text)
{
    public static AnalysisAnswer Of(double number) => new(number, "");

    public static AnalysisAnswer Of(string text) => new(double.NaN, text);
}

/// <summary>Public coins of one client: its group, and the seed of its hash.</summary>
/// <param name="Group">Below the analysis's groups.</param>
/// <param name="Seed">Of the hash; not used by analyses without one.</param>
public readonly record struct Ticket(int Group, ulong Seed)
{
    /// <summary>The ticket of one 64-bit coin that the server tossed for a client: group and seed are expanded from it by both sides.</summary>
    public static Ticket OfCoin(ulong coin, int groups) => new(
        (int)Math.BigMul(Local.Frequencies.SipHash.Hash(coin, GroupWord, 0), (ulong)groups, out ulong _), Local.Frequencies.SipHash.Hash(coin, SeedWord, 0));

    private const ulong GroupWord = 0x67726f75702d6f66;
    private const ulong SeedWord = 0x736565642d6f662d;

    /// <summary>The ticket that assigned seeds give a client.</summary>
    public static Ticket Of(Local.Frequencies.Poisoning.AssignedSeeds seeds, string client, int groups)
    {
        ArgumentNullException.ThrowIfNull(seeds);

        // Multiply-high of a pseudo-random word: uniform to groups·2⁻⁶⁴.
        var group = (int)Math.BigMul(seeds.Seed(client, -1), (ulong)groups, out _);
        return new Ticket(group, seeds.Seed(client, group));
    }
}

/// <summary>An estimate with its interval.</summary>
/// <param name="Name">Of what.</param>
/// <param name="Value">Without bias, so that a share may be below 0 or above 1.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
public readonly record struct AnalysisEstimate(string Name, double Value, double Low, double High);

/// <summary>What an analysis found.</summary>
/// <param name="Kind">One of <see cref="AnalysisKinds"/>.</param>
/// <param name="Reports">Reports that it rests on.</param>
/// <param name="Confidence">Of each interval on its own.</param>
/// <param name="Estimates">In the order of the question; words by share.</param>
/// <param name="Notes">What has to be known to read them.</param>
public sealed record AnalysisResult(
    string Kind, long Reports, double Confidence, IReadOnlyList<AnalysisEstimate> Estimates, IReadOnlyList<string> Notes);
