namespace Federated.Privacy.Analytics;

/// <summary>The reports of an analysis, by group, with their tickets' seeds: everything that estimates are made from, and nothing of who sent what.</summary>
/// <remarks>Memory: report size + 8 B each. Mutable; one owner.</remarks>
public sealed class ReportStore
{
    private const int Form = 1;
    private readonly PrivateAnalysis analysis;
    private readonly List<byte[]>[] reports;
    private readonly List<ulong>[] seeds;

    public ReportStore(PrivateAnalysis analysis)
    {
        ArgumentNullException.ThrowIfNull(analysis);
        this.analysis = analysis;
        reports = [.. Enumerable.Range(0, analysis.Groups).Select(_ => new List<byte[]>())];
        seeds = [.. Enumerable.Range(0, analysis.Groups).Select(_ => new List<ulong>())];
    }

    /// <summary>n.</summary>
    public int Count => reports.Sum(g => g.Count);

    /// <summary>n_j.</summary>
    public int CountOf(int group) => reports[group].Count;

    /// <summary>A group's reports.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Of(int group) => [.. reports[group].Select(r => (ReadOnlyMemory<byte>)r)];

    /// <summary>Takes a report that <see cref="PrivateAnalysis.Problem"/> has nothing against.</summary>
    public void Add(ReadOnlySpan<byte> report, Ticket ticket)
    {
        if (analysis.Problem(report, ticket) is { } problem)
        {
            throw new PrivacyException($"The report cannot be counted: {problem}.");
        }

        reports[ticket.Group].Add(report.ToArray());
        seeds[ticket.Group].Add(ticket.Seed);
    }

    internal ReadOnlySpan<byte> Report(int group, int index) => reports[group][index];

    internal ulong Seed(int group, int index) => seeds[group][index];

    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Form);
        for (var g = 0; g < reports.Length; g++)
        {
            writer.Write(reports[g].Count);
            for (var i = 0; i < reports[g].Count; i++)
            {
                writer.Write(seeds[g][i]);
                writer.Write(reports[g][i]);
            }
        }
    }

    public static ReportStore Load(PrivateAnalysis analysis, BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var store = new ReportStore(analysis);
        if (reader.ReadInt32() is var form && form != Form)
        {
            throw new PrivacyException($"This build reads reports stored in form {Form}; these have form {form}. Use the build that wrote them.");
        }

        for (var g = 0; g < analysis.Groups; g++)
        {
            for (var left = reader.ReadInt32(); left > 0; left--)
            {
                var seed = reader.ReadUInt64();
                store.Add(reader.ReadBytes(analysis.ReportBytes), new Ticket(g, seed));
            }
        }

        return store;
    }
}
