using System.Globalization;
using System.Security.Cryptography;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;

namespace Federated.EndToEnd.Conformance;

/// <summary>
/// The host suite's runs as experiments that any coordinator can serve: softmax regression with as many parameters as the suite's vector, a mean
/// that divides by nothing and a server that adds, in double precision. A run starts from drawn parameters, the suite's from zeros.
/// </summary>
internal sealed class WireModel
{
    /// <summary>7 features in 8 classes, and 8 biases: 64 parameters.</summary>
    private const int Features = 7, Classes = 8;

    /// <summary>Far above what double precision loses, far below half an update.</summary>
    private const double Tolerance = 1e-9;

    private static readonly ParameterLayout Layout = ParameterLayout.Of(("fc.weight", [Classes, Features]), ("fc.bias", [Classes]));

    private double[] first = [];

    /// <param name="words">The suite's configuration (<see cref="TestFactory"/>); what is none becomes a scheduler of that name.</param>
    public static string Experiment(string words, int versions)
    {
        var scheduler = words.Split(' ') switch
        {
            ["buffered", var concurrency, var goal] => $"{{ kind: buffered, concurrency: {concurrency}, aggregationGoal: {goal} }}",
            ["synchronous", var cohort] => $"{{ kind: synchronous, cohort: {cohort} }}",
            ["immediate", var concurrency] => $"{{ kind: immediate, concurrency: {concurrency}, mixing: 1 }}",
            ["anarchic", var goal] => $"{{ kind: anarchic, aggregationGoal: {goal} }}",
            ["fixed-window"] => "{ kind: fixed-window, window: 0.1 }",
            ["poisson"] => "{ kind: poisson, probability: 0.5 }",
            ["compass"] => "{ kind: compass, minSteps: 1, maxSteps: 10 }",
            var other => $"{{ kind: {other[0]} }}",
        };
        return $$"""
            name: conformance
            seed: 5
            precision: float64
            input: { shape: [{{Features}}], classes: {{Classes}} }
            model: { kind: softmax }
            training: { kind: local, steps: 5, batchSize: 10 }
            strategy:
              scheduler: {{scheduler}}
              exampleWeight: equal
              aggregator: { kind: mean, normalisation: none }
            run: { stop: { versions: {{versions.ToString(CultureInfo.InvariantCulture)}} }, evaluateEvery: 0 }
            """;
    }

    /// <summary>The suite's update as the run takes it.</summary>
    public static (BlobReference Reference, byte[] Bytes) Delta(ReadOnlyMemory<byte> suites)
    {
        var values = new double[TestFactory.Parameters];
        SafetensorsReader.Open(new MemoryStream(suites.ToArray())).Read<double>(TestFactory.Layout, values);
        var bytes = Written(Layout, values);
        return (new BlobReference(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length), bytes);
    }

    /// <summary>What runs begin with, to be taken off again; all of one seed begin alike.</summary>
    public void Begins(Stream model) => first = Read(model);

    /// <summary>
    /// A model in the suite's form: what was added since its run, or the run that this was branched from, began. What double precision has lost of a whole
    /// number is put back; anything else stays as it is, for the suite to find.
    /// </summary>
    public Stream Sums(Stream model)
    {
        var values = Read(model);
        for (var i = 0; i < values.Length; i++)
        {
            var (added, whole) = (values[i] - first[i], Math.Round(values[i] - first[i]));
            values[i] = Math.Abs(added - whole) < Tolerance ? whole + 0.0 : added; // Not −0.
        }

        return new MemoryStream(Written(TestFactory.Layout, values));
    }

    private static double[] Read(Stream model)
    {
        var values = new double[TestFactory.Parameters];
        SafetensorsReader.Open(model).Read<double>(Layout, values);
        return values;
    }

    private static byte[] Written(ParameterLayout layout, double[] values)
    {
        using var bytes = new MemoryStream();
        new SafetensorsWriter().Add<double>(layout, values, ElementType.F64).WriteTo(bytes);
        return bytes.ToArray();
    }
}
