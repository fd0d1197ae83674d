using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Training.LocalTraining;

/// <summary>
/// Evaluates parameters on a whole set, or on some of its examples, on any number of threads: chunks of fixed size are added up in their
/// order, so that the result has the same bits on one thread and on many.
/// </summary>
/// <param name="create">Makes a model; called once per concurrent thread, the models are kept for later calls.</param>
public sealed class Evaluator<T>(Func<IModel<T>> create)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Chunk = 250;

    private readonly ConcurrentBag<Worker> idle = [];

    /// <summary>Evaluates all examples of the set.</summary>
    /// <param name="parameters">d parameters.</param>
    /// <param name="threads">At most so many threads work; 1 keeps to the calling thread.</param>
    public Evaluation Evaluate(ReadOnlyMemory<T> parameters, DataSet data, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(data);
        return Run(parameters, data, default, data.Count, threads);
    }

    /// <summary>Evaluates some examples of the set: a client's own, for example.</summary>
    /// <param name="examples">Indices into the set.</param>
    public Evaluation Evaluate(ReadOnlyMemory<T> parameters, DataSet data, ReadOnlyMemory<int> examples, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(data);
        return examples.IsEmpty ? default : Run(parameters, data, examples, examples.Length, threads);
    }

    private Evaluation Run(ReadOnlyMemory<T> parameters, DataSet data, ReadOnlyMemory<int> examples, int count, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        var chunks = (count + Chunk - 1) / Chunk;
        var parts = new Evaluation[chunks];
        if (threads == 1 || chunks < 2)
        {
            var worker = Rent();
            for (var chunk = 0; chunk < chunks; chunk++)
            {
                parts[chunk] = worker.Evaluate(parameters.Span, data, examples.Span, chunk, count);
            }

            idle.Add(worker);
        }
        else
        {
            Parallel.For(
                0,
                chunks,
                new ParallelOptions { MaxDegreeOfParallelism = threads },
                Rent,
                (chunk, _, worker) =>
                {
                    parts[chunk] = worker.Evaluate(parameters.Span, data, examples.Span, chunk, count);
                    return worker;
                },
                idle.Add);
        }

        var sum = default(Evaluation);
        foreach (var part in parts)
        {
            sum += part;
        }

        return sum;
    }

    private Worker Rent() => idle.TryTake(out var worker) ? worker : new Worker(create());

    private sealed class Worker(IModel<T> model)
    {
        private readonly int[] all = new int[Chunk];
        private readonly int[] labels = new int[Chunk];
        private T[] features = [];

        public Evaluation Evaluate(ReadOnlySpan<T> parameters, DataSet data, ReadOnlySpan<int> examples, int chunk, int count)
        {
            var start = chunk * Chunk;
            var size = Math.Min(Chunk, count - start);
            if (examples.IsEmpty && typeof(T) == typeof(float))
            {
                // The set's own memory is the batch: no copy.
                var rows = data.Features.AsSpan(start * data.FeatureCount, size * data.FeatureCount);
                return model.Evaluate(parameters, new Batch<T>(MemoryMarshal.Cast<float, T>(rows), data.Labels.AsSpan(start, size), size));
            }

            if (features.Length < Chunk * data.FeatureCount)
            {
                features = new T[Chunk * data.FeatureCount];
            }

            if (examples.IsEmpty)
            {
                for (var i = 0; i < size; i++)
                {
                    all[i] = start + i;
                }
            }

            MiniBatches<T>.Gather(data, examples.IsEmpty ? all.AsSpan(0, size) : examples.Slice(start, size), features, labels);
            return model.Evaluate(parameters, new Batch<T>(features, labels, size));
        }
    }
}
