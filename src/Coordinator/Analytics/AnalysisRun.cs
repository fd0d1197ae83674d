using System.Collections.Immutable;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Privacy.Analytics;
using Federated.Protocol;

namespace Federated.Coordinator.Analytics;

/// <summary>
/// A run whose model is an estimate: updates are clients' randomised reports, a version is what all reports so far say. Everything around it (leases, log,
/// crashes, budgets) is that of a run that trains.
/// </summary>
/// <remarks>
/// The model of a version is a safetensors file with <c>estimates</c>, a row of value, lower and upper end each; their names are in the run's detail. State:
/// the reports of all versions, with their tickets and without their senders; those that came since are folded in again after a crash. The same reports give the same estimates to the bit, in whatever order they came.
/// Cost: O(reports) memory; estimating 100,000 takes a second or so.
/// </remarks>
public sealed class AnalysisRun : IRunModel
{
    private const int Form = 1;
    private const int Columns = 3;

    private readonly PrivateAnalysis analysis;
    private readonly AnalysisSection section;

    /// <summary>Since the last version: whoever saves a version saves what it was made of, and no more.</summary>
    private readonly List<(byte[] Report, Ticket Ticket)> arrived = [];
    private int arrivedMalformed;
    private ReportStore reports;
    private long malformed;
    private float[] estimates;

    public AnalysisRun(PrivateAnalysis analysis, AnalysisSection section)
    {
        ArgumentNullException.ThrowIfNull(analysis);
        ArgumentNullException.ThrowIfNull(section);
        (this.analysis, this.section, reports) = (analysis, section, new ReportStore(analysis));
        Layout = LayoutOf(analysis);
        estimates = new float[Layout.Count];
    }

    /// <summary>One tensor, <c>estimates</c>.</summary>
    public ParameterLayout Layout { get; }

    public static ParameterLayout LayoutOf(PrivateAnalysis analysis)
    {
        ArgumentNullException.ThrowIfNull(analysis);
        return ParameterLayout.Of(("estimates", [analysis.Names?.Count ?? ((HeavyHittersOptions)analysis.Options).Count, Columns]));
    }

    public ValueTask<UpdateCheck> CheckAsync(UpdateReport report, OpenBlob open, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(report);
        var problem = report.Delta is null ? "The update names no report."
            : report.Extras.Count > 0 ? "A report stands alone; leave the extras out."
            : report.Delta.Length != analysis.ReportBytes ? $"A report to this question has {analysis.ReportBytes} bytes; this one has {report.Delta.Length}."
            : "";
        return ValueTask.FromResult(new UpdateCheck(problem, true));
    }

    public async ValueTask AccumulateAsync(Accumulate effect, BlobReference? baseModel, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(effect);
        ArgumentNullException.ThrowIfNull(blobs);
        var reference = effect.Report.Delta ?? throw new CoordinatorException($"The report of {effect.Assignment.Id} names no blob.");
        var report = new byte[analysis.ReportBytes];
        await using var stream = await blobs.OpenAsync(reference, cancellation).ConfigureAwait(false);
        await stream.ReadExactlyAsync(report, cancellation).ConfigureAwait(false);
        var ticket = section.TicketOf(effect.Assignment.Client, report);
        if (analysis.Problem(report, ticket) is null)
        {
            arrived.Add((report, ticket));
        }
        else
        {
            arrivedMalformed++; // No honest client sends it: it is counted and left out, not answered, so that a forger learns nothing.
        }
    }

    public void Publish(Publish effect)
    {
        foreach (var (report, ticket) in arrived)
        {
            reports.Add(report, ticket);
        }

        malformed += arrivedMalformed;
        Forget();
        Estimate();
    }

    public async ValueTask<VersionBlobs> SaveVersionAsync(IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        await using var blob = await blobs.CreateAsync(cancellation).ConfigureAwait(false);
        await using (var stream = new BlobStream(blob))
        {
            new SafetensorsWriter().Add<float>(Layout, estimates).WriteTo(stream);
        }

        var model = await blob.CommitAsync(null, cancellation).ConfigureAwait(false);
        return new VersionBlobs(model, ImmutableSortedDictionary.Create<string, BlobReference>(StringComparer.Ordinal), model);
    }

    public async ValueTask<BlobReference?> SaveStateAsync(IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        using var memory = new MemoryStream();
        var writer = new BinaryWriter(memory);
        writer.Write(Form);
        writer.Write(malformed);
        reports.Save(writer);
        await using var blob = await blobs.CreateAsync(cancellation).ConfigureAwait(false);
        await blob.WriteAsync(memory.GetBuffer().AsMemory(0, (int)memory.Length), cancellation).ConfigureAwait(false);
        return await blob.CommitAsync(null, cancellation).ConfigureAwait(false);
    }

    public async ValueTask LoadAsync(int version, VersionBlobs saved, BlobReference? state, IBlobStore blobs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        (reports, malformed) = (new ReportStore(analysis), 0);
        Forget();
        if (state is not null)
        {
            var bytes = new byte[state.Length];
            await using var stream = await blobs.OpenAsync(state, cancellation).ConfigureAwait(false);
            await stream.ReadExactlyAsync(bytes, cancellation).ConfigureAwait(false);
            using var reader = new BinaryReader(new MemoryStream(bytes));
            if (reader.ReadInt32() is var form && form != Form)
            {
                throw new CoordinatorException($"This build reads reports of form {Form}; these have form {form}. Use the build that wrote them.");
            }

            malformed = reader.ReadInt64();
            reports = ReportStore.Load(analysis, reader);
        }

        if (version > 0)
        {
            Estimate();
        }
    }

    private void Forget()
    {
        arrived.Clear();
        arrivedMalformed = 0;
    }

    private void Estimate()
    {
        estimates = new float[Layout.Count];
        try
        {
            var result = analysis.Estimate(reports);
            for (var i = 0; i < Math.Min(result.Estimates.Count, estimates.Length / Columns); i++)
            {
                var (_, value, low, high) = result.Estimates[i];
                (estimates[Columns * i], estimates[(Columns * i) + 1], estimates[(Columns * i) + 2]) = ((float)value, (float)low, (float)high);
            }

            section.Show(new AnalysisOutcome(analysis.Options, result, malformed, ""));
        }
        catch (PrivacyException tooFew)
        {
            section.Show(new AnalysisOutcome(analysis.Options, null, malformed, tooFew.Message));
        }
    }
}
