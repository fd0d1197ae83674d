using System.Diagnostics;
using Federated.Aggregation.Randomness;
using Federated.Training.Data;
using Federated.Training.Kernels;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Benchmarks.Training;

/// <summary>
/// Steps per second of the built-in models and GFLOP/s of the matrix kernels, on one thread; torch_reference.py measures the same in
/// PyTorch. Best of several short runs, because the machine is shared.
/// </summary>
[WholeProcess("training", "[mlp|softmax|cnn|client|gemm]: steps per second of the built-in models, GFLOP/s of the matrix kernels, on one thread", "part:mlp|softmax|cnn|client|gemm")]
internal static class TrainingSpeed
{
    public static int Run(string[] args)
    {
        var filter = args.Length > 0 ? args[0] : "";
        Model("mlp 784-200-10 batch 32", filter, new MultilayerPerceptron<float>(784, [200], 10), 784, 32);
        Model("mlp 784-200-10 batch 10", filter, new MultilayerPerceptron<float>(784, [200], 10), 784, 10);
        Model("softmax 60-10 batch 10", filter, new SoftmaxRegression<float>(60, 10), 60, 10);
        Model("softmax 784-10 batch 10", filter, new SoftmaxRegression<float>(784, 10), 784, 10);
        Model("cnn 28x28 batch 10", filter, new ConvolutionalNetwork<float>(1, 28, 28, [32, 64], 5, [512], 10), 784, 10);
        Model("cnn 28x28 batch 32", filter, new ConvolutionalNetwork<float>(1, 28, 28, [32, 64], 5, [512], 10), 784, 32);
        Clients(filter);
        Products(filter);
        return 0;
    }

    /// <summary>Whole client updates of the size of FedProx's Synthetic(1,1): 60 features, 10 classes, batch 10, one epoch.</summary>
    private static void Clients(string filter)
    {
        if (!"client".Contains(filter, StringComparison.Ordinal))
        {
            return;
        }

        var random = new SeededRandom(1);
        var sizes = Enumerable.Range(0, 100).Select(_ => (int)(0.9 * (50 + (int)random.NextLogNormal(4, 2)))).ToArray();
        var shards = new int[100][];
        var next = 0;
        for (var i = 0; i < shards.Length; i++)
        {
            shards[i] = [.. Enumerable.Range(next, sizes[i])];
            next += sizes[i];
        }

        var data = new DataSet(
            "random", [.. Enumerable.Range(0, next * 60).Select(_ => (float)random.NextNormal())], [.. Enumerable.Range(0, next).Select(_ => random.NextInt(10))], [60], 10);
        foreach (var (name, objective) in new (string, LocalObjectiveOptions)[] { ("FedAvg", new PlainObjectiveOptions()), ("FedProx", new FedProxOptions()) })
        {
            var model = new SoftmaxRegression<float>(60, 10);
            var trainer = new LocalTrainer<float>(model, new LocalTrainingOptions { Objective = objective, Optimizer = new SgdOptions { LearningRate = 0.01 } });
            var start = new float[model.Layout.Count];
            var delta = new float[start.Length];
            foreach (var (work, epochs) in new[] { ("one epoch", 1.0), ("one step", 0.0) })
            {
                var seconds = Best(() =>
                {
                    for (var client = 0; client < 100; client++)
                    {
                        var steps = epochs == 0 ? 1 : (sizes[client] + 9) / 10;
                        trainer.Train(new LocalTask<float> { Start = start, Data = data, Examples = shards[client], Steps = steps, Seed = (ulong)client }, delta);
                    }
                }) / 100;
                Console.WriteLine($"client {name,-8} {work,-10} {1 / seconds,12:N0} updates/s ({seconds * 1e6:N2} us, mean of {sizes.Average():F0} examples)");
            }
        }
    }

    private static void Model(string name, string filter, IResidentModel<float> model, int features, int batch)
    {
        if (!name.Contains(filter, StringComparison.Ordinal))
        {
            return;
        }

        var random = new SeededRandom(1);
        var x = new float[batch * features];
        var y = new int[batch];
        foreach (ref var value in x.AsSpan())
        {
            value = (float)random.NextNormal();
        }

        foreach (ref var label in y.AsSpan())
        {
            label = random.NextInt(10);
        }

        var w = new float[model.Layout.Count];
        var g = new float[w.Length];
        model.Initialize(w, random);
        model.Load(w);
        var fused = Best(() => model.Step(new Batch<float>(x, y, batch), 1f, 0.01f));
        var plain = Best(() => model.Gradient(w, new Batch<float>(x, y, batch), g));
        Console.WriteLine($"{name,-28} {1 / fused,12:N0} steps/s ({fused * 1e6:N2} us)   gradient alone {1 / plain,12:N0}/s ({plain * 1e6:N2} us)");
    }

    private static unsafe void Products(string filter)
    {
        if (!"gemm".Contains(filter, StringComparison.Ordinal))
        {
            return;
        }

        var scratch = new AlignedBuffer<float>();
        foreach (var (m, n, k) in new[] { (32, 200, 784), (10, 200, 784), (32, 512, 3136), (10, 512, 3136), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024) })
        {
            var a = Filled(m * k);
            var b = Filled(n * k);
            var c = Filled(m * n);
            var bias = Filled(n);
            var flops = 2.0 * m * n * k;
            var nn = Best(() => MatrixMultiply.Multiply(
                new Product<float> { A = a.Pointer, B = b.Pointer, C = c.Pointer, Rows = m, Columns = n, Depth = k, Segments = 1, RowStride = k, DepthStride = 1, PanelStride = n, ResultStride = n, Scale = 1f },
                scratch));
            var tn = Best(() => MatrixMultiply.Multiply(
                new Product<float> { A = a.Pointer, B = c.Pointer, C = b.Pointer, Rows = k, Columns = n, Depth = m, Segments = 1, RowStride = 1, DepthStride = k, PanelStride = n, ResultStride = n, Scale = 1f, Keep = 1f },
                scratch));
            var nt = Best(() => MatrixMultiply.MultiplyTransposed(a.Pointer, k, b.Pointer, k, bias.Pointer, c.Pointer, n, m, n, k, scratch));
            Console.WriteLine($"gemm m={m,5} n={n,5} k={k,5}: A·B {flops / nn / 1e9,6:F1}  A·Bᵀ {flops / nt / 1e9,6:F1}  Aᵀ·B ({k}x{n}, depth {m}) {flops / tn / 1e9,6:F1} GFLOP/s");
        }
    }

    private static AlignedBuffer<float> Filled(int length)
    {
        var buffer = new AlignedBuffer<float>(length);
        for (var i = 0; i < length; i++)
        {
            buffer.Span[i] = ((i * 7) % 13 - 6) * 0.01f;
        }

        return buffer;
    }

    /// <summary>Seconds per call: the best of many windows of about a millisecond, short enough to fall between two preemptions.</summary>
    private static double Best(Action action)
    {
        var once = Stopwatch.GetTimestamp();
        action();
        once = Stopwatch.GetTimestamp();
        action();
        var count = Math.Max(1, (int)(1e-3 / Stopwatch.GetElapsedTime(once).TotalSeconds));
        var best = double.MaxValue;
        var begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < 1)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
            {
                action();
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds / count);
        }

        return best;
    }
}
