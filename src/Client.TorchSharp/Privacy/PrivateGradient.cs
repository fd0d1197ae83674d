using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Federated.Client.TorchSharp.Privacy;

/// <summary>One step's gradient of DP-SGD: (Σ clip(g_i) + N(0, z²C²))/B over a Poisson sample of the client's examples.</summary>
/// <remarks>
/// Abadi, Chu, Goodfellow, McMahan, Mironov, Talwar, Zhang, "Deep Learning with Differential Privacy", CCS 2016,
/// https://arxiv.org/abs/1607.00133, Algorithm 1. Deviations: the divisor is the public batch size B, not the sample's size; clipped gradients
/// and noise are multiples of a grid step of z·C/2¹⁶ or finer and are summed exactly, so that no last bit tells what the noise hides.
/// Each example's gradient is a backward pass of its own, which is exact for every module that does not mix examples.
/// Cost per step: q·n passes of one example, and p doubles of noise.
/// </remarks>
internal sealed class PrivateGradient : IDisposable
{
    private readonly TorchModel model;
    private readonly DpSgdOptions options;
    private IRandomSource random;
    private readonly GridClip clip;
    private readonly double divisor;
    private readonly double[] sum;
    private readonly float[] gradient;
    private readonly float[] mean;
    private readonly int[] label = new int[1];
    private DataSet data = null!;
    private int[] examples = [];
    private float[] features = [];

    /// <param name="batchSize">B.</param>
    public PrivateGradient(TorchModel model, DpSgdOptions options, int batchSize)
    {
        (this.model, this.options, divisor) = (model, options, batchSize);
        random = options.Random ?? new CryptographicRandom();
        var deviation = options.NoiseMultiplier * options.ClipNorm;
        clip = new GridClip(options.ClipNorm, Math.Min(GridClip.StepFor(deviation), Math.ScaleB(1, Math.ILogB(options.ClipNorm) - 16)));
        var p = model.Flat.TrainedCount;
        (sum, gradient, mean) = (new double[p], new float[p], new float[p]);
    }

    public void Begin(DataSet set, ReadOnlySpan<int> own, ulong seed)
    {
        if (options.IsSeededByTask)
        {
            (random as IDisposable)?.Dispose();
            random = new SimulationRandom(seed);
        }

        (data, examples) = (set, own.ToArray());
        if (features.Length != set.FeatureCount)
        {
            features = new float[set.FeatureCount];
        }
    }

    /// <summary>Draws a sample and leaves the step's gradient in the module's flat gradient.</summary>
    /// <exception cref="OperationCanceledException">Between two examples.</exception>
    public void Compute(CancellationToken cancellation)
    {
        Array.Clear(sum);
        foreach (var example in examples)
        {
            cancellation.ThrowIfCancellationRequested();
            if (IsIn())
            {
                Add(example);
            }
        }

        GaussianSampler.AddOnGrid<double>(sum, clip.Step, options.NoiseMultiplier * options.ClipNorm, random, maxThreads: 1);
        TensorPrimitives.Divide(sum, divisor, sum);
        TensorPrimitives.ConvertTruncating<double, float>(sum, mean);
        model.Flat.LoadGradient(mean);
    }

    private void Add(int example)
    {
        MiniBatches<float>.Gather(data, [example], features, label);
        model.Backward(new Batch<float>(features, label, 1));
        model.Flat.StoreGradient(gradient);
        clip.Apply(gradient.AsSpan(), maxThreads: 1);
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] += gradient[i];
        }
    }

    public void Dispose()
    {
        if (options.Random is null)
        {
            (random as IDisposable)?.Dispose();
        }
    }

    /// <summary>A coin of probability q, to 2⁻⁵³.</summary>
    private bool IsIn() => (random.NextUInt64() >> 11) * (1.0 / (1UL << 53)) < options.SamplingRate;
}
