using Federated.Aggregation.Randomness;
using Federated.Training.Models;

namespace Federated.Training.Tests.Models;

public sealed class MultilayerPerceptronTests
{
    [Fact]
    public void Has_the_tensors_of_the_same_PyTorch_module()
    {
        var layout = new MultilayerPerceptron<float>(784, [200, 200], 10).Layout;
        Assert.Equal(["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"], layout.Tensors.Select(t => t.Name));
        Assert.Equal([200, 784], layout["fc1.weight"].Shape.ToArray());
        Assert.Equal([10], layout["fc3.bias"].Shape.ToArray());

        // The count that McMahan et al. (2017) print for their 2NN.
        Assert.Equal(199_210, layout.Count);
    }

    [Theory]
    [InlineData(7, 5, 3, 4)]
    [InlineData(20, 17, 11, 1)]
    [InlineData(33, 40, 20, 13)]
    public void Gradient_agrees_with_finite_differences(int features, int hidden, int classes, int batch) =>
        GradientCheck.Run(new MultilayerPerceptron<double>(features, [hidden, hidden + 3], classes), features, classes, batch, coordinates: 60);

    [Theory]
    [InlineData(7, 5, 3, 4)]
    [InlineData(33, 40, 20, 13)]
    public void Resident_steps_are_gradient_and_SGD(int features, int hidden, int classes, int batch) =>
        GradientCheck.RunResident(new MultilayerPerceptron<double>(features, [hidden], classes), features, classes, batch);

    [Fact]
    public void Initial_values_lie_within_one_over_the_root_of_the_fan_in()
    {
        var model = new MultilayerPerceptron<double>(400, [100], 10);
        var w = new double[model.Layout.Count];
        model.Initialize(w, new SeededRandom(1));
        foreach (var (name, bound) in new[] { ("fc1.weight", 0.05), ("fc1.bias", 0.05), ("fc2.weight", 0.1), ("fc2.bias", 0.1) })
        {
            var values = model.Layout[name].In<double>(w).ToArray();
            Assert.All(values, v => Assert.InRange(v, -bound, bound));

            // The variance of U(−b, b) is b²/3; 10 to 40,000 draws.
            if (values.Length > 500)
            {
                Assert.InRange(values.Sum(v => v * v) / values.Length, 0.9 * bound * bound / 3, 1.1 * bound * bound / 3);
            }
        }
    }

    [Fact]
    public void Wrong_sizes_are_refused_before_any_memory_is_touched()
    {
        var model = new MultilayerPerceptron<float>(4, [3], 2);
        var w = new float[model.Layout.Count];
        Assert.Throws<ArgumentException>(() => model.Gradient(w, new Batch<float>(new float[7], [0, 1], 2), new float[w.Length]));
        Assert.Throws<ArgumentException>(() => model.Gradient(w, new Batch<float>(new float[8], [0, 2], 2), new float[w.Length]));
        Assert.Throws<ArgumentException>(() => model.Gradient(w, new Batch<float>(new float[8], [0, 1], 2), new float[w.Length - 1]));
        Assert.Throws<ArgumentException>(() => model.Evaluate(w.AsSpan(1), new Batch<float>(new float[8], [0, 1], 2)));
    }

    [Fact]
    public void A_divergence_does_not_outlive_the_parameters_that_caused_it()
    {
        var model = new MultilayerPerceptron<float>(4, [3], 2);
        var good = new float[model.Layout.Count];
        model.Initialize(good, new SeededRandom(1));
        var bad = new float[good.Length];
        Array.Fill(bad, float.NaN);
        float[] x = [1, 2, 3, 4];
        var gradient = new float[good.Length];
        var before = model.Gradient(good, new Batch<float>(x, [1], 1), gradient);
        Assert.True(double.IsNaN(model.Gradient(bad, new Batch<float>(x, [1], 1), gradient)));
        Assert.Equal(0, model.Evaluate(bad, new Batch<float>(x, [0], 1)).Correct);
        Assert.Equal(before, model.Gradient(good, new Batch<float>(x, [1], 1), gradient));
        Assert.All(gradient, g => Assert.True(float.IsFinite(g)));
    }
}
