using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Benchmarks.Hosting;

/// <summary>Configurations: <c>KIND PARAMETERS COUNT [GOAL]</c>, KIND buffered or synchronous; a model of that many parameters, a mean, and no data.</summary>
internal sealed class BenchFactory : IRunFactory
{
    public static ParameterLayout Layout(int parameters) => ParameterLayout.Of(("w", [parameters]));

    /// <summary>An update, as a file.</summary>
    public static byte[] Update(int parameters)
    {
        var values = new float[parameters];
        for (var i = 0; i < parameters; i++)
        {
            values[i] = MathF.Sin(i) * 1e-3f;
        }

        using var file = new MemoryStream();
        new SafetensorsWriter().Add<float>(Layout(parameters), values).WriteTo(file);
        return file.ToArray();
    }

    public static BlobReference Reference(ReadOnlySpan<byte> bytes) => new(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);

    public RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs)
    {
        var words = Encoding.UTF8.GetString(configuration.Span).Split(' ');
        var numbers = words[1..].Select(w => int.Parse(w, CultureInfo.InvariantCulture)).ToArray();
        var parameters = numbers[0];
        var work = new FixedWork(LocalWork.OfSteps(5));
        IScheduler scheduler = words[0] == "buffered"
            ? new BufferedScheduler(new BufferedOptions { Concurrency = numbers[1], AggregationGoal = numbers[2] }, work, UpdateWeight.Equal)
            : new SynchronousScheduler(new SynchronousOptions { Cohort = numbers[1] }, work, UpdateWeight.Equal);
        var layout = Layout(parameters);
        return new RunParts
        {
            Machine = new RunMachine(new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { Versions = int.MaxValue } }, scheduler),
            Model = new BlobModel<float>(
                layout,
                () => new ModelState<float>(new float[parameters], new WeightedMean<float>(parameters, new WeightedMeanOptions()), new Sgd<float>(new SgdOptions())),
                ElementType.F32),
            Layout = layout,
            Training = JsonSerializer.SerializeToElement(0),
            MaxUpdateBytes = long.MaxValue,
            Terms = assignment => new AssignmentTerms((ulong)assignment.Id.Value, 1, null),
        };
    }
}
