using Federated.Training.Models;

namespace Federated.Training.Tests.Models;

public sealed class SoftmaxRegressionTests
{
    [Theory]
    [InlineData(60, 10, 10)]
    [InlineData(16, 26, 7)]
    [InlineData(5, 2, 1)]
    [InlineData(9, 16, 33)]
    [InlineData(20, 62, 12)]
    public void Gradient_agrees_with_finite_differences(int features, int classes, int batch) =>
        GradientCheck.Run(new SoftmaxRegression<double>(features, classes), features, classes, batch, coordinates: 200);

    [Theory]
    [InlineData(60, 10, 10)]
    [InlineData(20, 62, 12)]
    public void Resident_steps_are_gradient_and_SGD(int features, int classes, int batch) =>
        GradientCheck.RunResident(new SoftmaxRegression<double>(features, classes), features, classes, batch);

    [Fact]
    public void Loss_at_zero_is_the_logarithm_of_the_number_of_classes_and_large_logits_do_not_overflow()
    {
        var model = new SoftmaxRegression<float>(2, 10);
        var w = new float[model.Layout.Count];
        Assert.Equal(Math.Log(10), model.Evaluate(w, new Batch<float>([1, 2, 3, 4], [3, 9], 2)).Loss, 6);
        Array.Fill(w, 1e4f, 0, 2);
        var evaluation = model.Evaluate(w, new Batch<float>([1, 0], [0], 1));
        Assert.Equal(0, evaluation.LossSum, 6);
        Assert.Equal(1, evaluation.Correct);
        Assert.Equal(1e4, model.Evaluate(w, new Batch<float>([1, 0], [1], 1)).LossSum, 1);
    }

    [Fact]
    public void Is_the_perceptron_without_hidden_layers()
    {
        var model = new SoftmaxRegression<double>(12, 5);
        var (w, x, y) = GradientCheck.Example(model, 12, 5, 6);
        var expected = new double[w.Length];
        var actual = new double[w.Length];
        var loss = new MultilayerPerceptron<double>(12, [], 5).Gradient(w, new Batch<double>(x, y, 6), expected);
        Assert.Equal(loss, model.Gradient(w, new Batch<double>(x, y, 6), actual), 12);
        for (var i = 0; i < w.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 12);
        }
    }
}
