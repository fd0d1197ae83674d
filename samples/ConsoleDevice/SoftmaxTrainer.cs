using System.Text.Json;
using Federated.Client.Training;

namespace ConsoleDevice;

/// <summary>Softmax regression by plain SGD: the run's model has fc.weight (classes × features) and fc.bias (classes).</summary>
internal sealed class SoftmaxTrainer(Readings readings) : ITrainer
{
    public double Examples => readings.Rows.Length;

    public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
    {
        var local = task.Model.ToArray();
        var weight = task.Layout["fc.weight"].In(local.AsSpan());
        var bias = task.Layout["fc.bias"].In(local.AsSpan());
        var batchSize = task.Plan.GetProperty("batchSize").GetInt32();
        var rate = (float)(task.Plan.GetProperty("optimizer").GetProperty("learningRate").GetDouble() * task.RateFactor);
        var steps = task.Work.StepsFor(readings.Rows.Length, batchSize);
        var size = batchSize == 0 ? readings.Rows.Length : Math.Min(batchSize, readings.Rows.Length);
        var random = new Random((int)(task.Seed % int.MaxValue));
        var order = Enumerable.Range(0, readings.Rows.Length).ToArray();
        var at = order.Length;
        var lossSum = 0.0;
        for (var step = 0; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (at + size > order.Length)
            {
                random.Shuffle(order);
                at = 0;
            }

            lossSum += Step(order.AsSpan(at, size), weight, bias, rate);
            at += size;
            task.Report(step + 1, lossSum / (step + 1));
        }

        for (var i = 0; i < local.Length; i++)
        {
            task.Delta[i] = local[i] - task.Model[i];
        }

        return new TrainingResult(readings.Rows.Length, steps, lossSum / steps);
    }

    public EvaluationResult? Evaluate(EvaluationTask task, CancellationToken cancellation)
    {
        var model = task.Model.ToArray();
        var weight = task.Layout["fc.weight"].In(model.AsSpan());
        var bias = task.Layout["fc.bias"].In(model.AsSpan());
        var probabilities = new float[bias.Length];
        var (right, loss) = (0, 0.0);
        for (var i = 0; i < readings.Rows.Length; i++)
        {
            Predict(readings.Rows[i], weight, bias, probabilities);
            right += Array.IndexOf(probabilities, probabilities.Max()) == readings.Labels[i] ? 1 : 0;
            loss -= Math.Log(Math.Max(probabilities[readings.Labels[i]], 1e-30));
        }

        return new EvaluationResult(readings.Rows.Length, (double)right / readings.Rows.Length, loss / readings.Rows.Length);
    }

    /// <summary>One step along the mean gradient of a mini-batch; its mean loss before the step.</summary>
    private double Step(ReadOnlySpan<int> batch, Span<float> weight, Span<float> bias, float rate)
    {
        var (weightGradient, biasGradient) = (new float[weight.Length], new float[bias.Length]);
        var probabilities = new float[bias.Length];
        var loss = 0.0;
        foreach (var example in batch)
        {
            var (row, label) = (readings.Rows[example], readings.Labels[example]);
            Predict(row, weight, bias, probabilities);
            loss -= Math.Log(Math.Max(probabilities[label], 1e-30));
            for (var c = 0; c < bias.Length; c++)
            {
                var error = (probabilities[c] - (c == label ? 1 : 0)) / batch.Length;
                biasGradient[c] += error;
                for (var f = 0; f < row.Length; f++)
                {
                    weightGradient[(c * row.Length) + f] += error * row[f];
                }
            }
        }

        for (var i = 0; i < weight.Length; i++)
        {
            weight[i] -= rate * weightGradient[i];
        }

        for (var i = 0; i < bias.Length; i++)
        {
            bias[i] -= rate * biasGradient[i];
        }

        return loss / batch.Length;
    }

    private static void Predict(float[] row, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float[] probabilities)
    {
        for (var c = 0; c < bias.Length; c++)
        {
            probabilities[c] = bias[c];
            for (var f = 0; f < row.Length; f++)
            {
                probabilities[c] += weight[(c * row.Length) + f] * row[f];
            }
        }

        var largest = probabilities.Max();
        var sum = 0f;
        for (var c = 0; c < probabilities.Length; c++)
        {
            sum += probabilities[c] = MathF.Exp(probabilities[c] - largest);
        }

        for (var c = 0; c < probabilities.Length; c++)
        {
            probabilities[c] /= sum;
        }
    }
}
