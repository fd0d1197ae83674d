using Federated.Aggregation.Randomness;
using Federated.Training.Models;

namespace Federated.Training.Tests.Models;

/// <summary>Compares a model's gradient with central finite differences, in double.</summary>
internal static class GradientCheck
{
    private const double Step = 1e-5;

    /// <param name="coordinates">How many coordinates of each tensor to check, spread evenly.</param>
    public static void Run(IResidentModel<double> model, int features, int classes, int batch, int coordinates)
    {
        var (w, x, y) = Example(model, features, classes, batch);
        var gradient = new double[w.Length];
        var loss = model.Gradient(w, new Batch<double>(x, y, batch), gradient);
        Assert.Equal(Loss(model, w, x, y, batch), loss, 12);
        var scale = gradient.Max(Math.Abs);
        foreach (var tensor in model.Layout.Tensors)
        {
            for (var n = 0; n < Math.Min(coordinates, tensor.Length); n++)
            {
                var i = tensor.Offset + (int)((long)n * tensor.Length / Math.Min(coordinates, tensor.Length));
                var kept = w[i];
                w[i] = kept + Step;
                var above = Loss(model, w, x, y, batch);
                w[i] = kept - Step;
                var below = Loss(model, w, x, y, batch);
                w[i] = kept;
                var numeric = (above - below) / (2 * Step);
                var tolerance = 1e-6 * Math.Max(Math.Abs(gradient[i]), 0.01 * scale);
                Assert.True(
                    Math.Abs(numeric - gradient[i]) <= tolerance,
                    $"{tensor.Name}[{i - tensor.Offset}]: finite difference {numeric}, gradient {gradient[i]}");
            }
        }
    }

    /// <summary>A step of the resident path against the gradient and plain SGD with decay and a linear term.</summary>
    public static void RunResident(IResidentModel<double> model, int features, int classes, int batch)
    {
        var (w, x, y) = Example(model, features, classes, batch);
        var random = new SeededRandom(9);
        var linear = new double[w.Length];
        foreach (ref var value in linear.AsSpan())
        {
            value = 0.1 * random.NextNormal();
        }

        var gradient = new double[w.Length];
        var actual = new double[w.Length];
        model.Load(w, linear);
        for (var step = 0; step < 3; step++)
        {
            var loss = model.Gradient(w, new Batch<double>(x, y, batch), gradient);

            // Gradient() is allowed to use the working layout: load again what the run has come to.
            model.Load(w, linear);
            Assert.Equal(loss, model.Step(new Batch<double>(x, y, batch), keep: 0.99, rate: 0.1), 12);
            for (var i = 0; i < w.Length; i++)
            {
                w[i] = (0.99 * w[i]) - (0.1 * (gradient[i] + linear[i]));
            }

            model.Store(actual);
            for (var i = 0; i < w.Length; i++)
            {
                Assert.True(Math.Abs(w[i] - actual[i]) < 1e-12, $"step {step}, coordinate {i}: expected {w[i]}, was {actual[i]}");
            }
        }

        // And without a linear term, several steps in a row.
        model.Load(w);
        model.Step(new Batch<double>(x, y, batch), keep: 1, rate: 0.1);
        model.Step(new Batch<double>(x, y, batch), keep: 1, rate: 0.1);
        model.Store(actual);
        for (var step = 0; step < 2; step++)
        {
            model.Gradient(w, new Batch<double>(x, y, batch), gradient);
            for (var i = 0; i < w.Length; i++)
            {
                w[i] -= 0.1 * gradient[i];
            }
        }

        for (var i = 0; i < w.Length; i++)
        {
            Assert.True(Math.Abs(w[i] - actual[i]) < 1e-12, $"coordinate {i}: expected {w[i]}, was {actual[i]}");
        }
    }

    public static (double[] Parameters, double[] Features, int[] Labels) Example(IModel<double> model, int features, int classes, int batch)
    {
        var random = new SeededRandom(4);
        var w = new double[model.Layout.Count];
        model.Initialize(w, random);
        var x = new double[batch * features];
        foreach (ref var value in x.AsSpan())
        {
            value = random.NextNormal();
        }

        var y = new int[batch];
        foreach (ref var label in y.AsSpan())
        {
            label = random.NextInt(classes);
        }

        return (w, x, y);
    }

    private static double Loss(IModel<double> model, double[] w, double[] x, int[] y, int batch)
    {
        var evaluation = model.Evaluate(w, new Batch<double>(x, y, batch));
        Assert.Equal(batch, evaluation.Count);
        return evaluation.Loss;
    }
}
