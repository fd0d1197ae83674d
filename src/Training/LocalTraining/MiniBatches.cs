using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Federated.Aggregation.Randomness;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Training.LocalTraining;

/// <summary>
/// A client's examples as mini-batches: shuffled at the start of every epoch, dealt in order, the last batch of an epoch holding what is
/// left (McMahan et al. 2017). A batch is gathered into one reused buffer. Belongs to one worker.
/// </summary>
public sealed class MiniBatches<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private T[] features = [];
    private int[] labels = [];
    private int[] order = [];
    private DataSet data = null!;
    private SeededRandom random = null!;
    private int count;
    private int batchSize;
    private int position;
    private int gathered;

    /// <summary>Starts on a client's examples.</summary>
    /// <param name="examples">Indices into the set; at least one.</param>
    /// <param name="size">Examples per batch; 0 for all.</param>
    public void Begin(DataSet set, ReadOnlySpan<int> examples, int size, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(set);
        if (examples.IsEmpty)
        {
            throw new TrainingException($"A client of data set '{set.Name}' has no examples; training needs at least one. Leave such clients out.");
        }

        foreach (var example in examples)
        {
            if ((uint)example >= (uint)set.Count)
            {
                throw new ArgumentOutOfRangeException(nameof(examples), example, $"Data set '{set.Name}' has {set.Count} examples.");
            }
        }

        (data, count, random, gathered) = (set, examples.Length, new SeededRandom(seed), 0);
        batchSize = size == 0 ? count : Math.Min(size, count);
        if (order.Length < count)
        {
            order = new int[Math.Max(count, 2 * order.Length)];
        }

        examples.CopyTo(order);
        if (labels.Length < batchSize)
        {
            labels = new int[batchSize];
        }

        if (features.Length < batchSize * set.FeatureCount)
        {
            features = new T[batchSize * set.FeatureCount];
        }

        position = count;
    }

    /// <summary>The next batch; valid until the next call.</summary>
    public Batch<T> Next()
    {
        if (batchSize == count)
        {
            // The full batch is the same set at every step: its order does not matter, gather it once.
            if (gathered == 0)
            {
                Gather(order.AsSpan(0, count));
            }
        }
        else
        {
            if (position == count)
            {
                random.Shuffle(order.AsSpan(0, count));
                position = 0;
            }

            var size = Math.Min(batchSize, count - position);
            Gather(order.AsSpan(position, size));
            position += size;
            Prefetch(order.AsSpan(position, Math.Min(size, count - position)));
        }

        return new Batch<T>(features.AsSpan(0, gathered * data.FeatureCount), labels.AsSpan(0, gathered), gathered);
    }

    /// <summary>Copies the rows and labels of some examples.</summary>
    public static void Gather(DataSet set, ReadOnlySpan<int> examples, Span<T> features, Span<int> labels)
    {
        var width = set.FeatureCount;
        for (var i = 0; i < examples.Length; i++)
        {
            var row = set.Row(examples[i]);
            var target = features.Slice(i * width, width);
            if (typeof(T) == typeof(float))
            {
                row.CopyTo(MemoryMarshal.Cast<T, float>(target));
            }
            else
            {
                TensorPrimitives.ConvertTruncating(row, target);
            }

            labels[i] = set.Labels[examples[i]];
        }
    }

    private void Gather(ReadOnlySpan<int> examples)
    {
        Gather(data, examples, features, labels);
        gathered = examples.Length;
    }

    /// <summary>
    /// Asks for the next batch's rows while this one is computed: shuffled rows of a large set come from memory, and waiting for them
    /// takes a small model longer than its step.
    /// </summary>
    private unsafe void Prefetch(ReadOnlySpan<int> examples)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        // The first lines suffice for long rows: the hardware goes on by itself.
        const int Line = 16;
        var lines = Math.Min(8, (data.FeatureCount + Line - 1) / Line);
        fixed (float* rows = data.Features)
        {
            foreach (var example in examples)
            {
                var row = rows + ((nint)example * data.FeatureCount);
                for (var line = 0; line < lines; line++)
                {
                    Sse.Prefetch0(row + (line * Line));
                }
            }
        }
    }
}
