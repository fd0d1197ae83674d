using Federated.Training.Models;

namespace Federated.Training.Tests.Models;

public sealed class ConvolutionalNetworkTests
{
    [Fact]
    public void Has_the_tensors_of_the_same_PyTorch_module_and_the_paper_s_number_of_parameters()
    {
        var model = ModelFactory.Create<float>(new ConvolutionalNetworkOptions(), [1, 28, 28], 10);
        Assert.Equal(
            ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"],
            model.Layout.Tensors.Select(t => t.Name));
        Assert.Equal([64, 32, 5, 5], model.Layout["conv2.weight"].Shape.ToArray());
        Assert.Equal([512, 3136], model.Layout["fc1.weight"].Shape.ToArray());
        Assert.Equal(1_663_370, model.Layout.Count);
    }

    [Theory]
    [InlineData(1, 8, 8, 5, 4, 6)] // even sizes, channels that fill no register
    [InlineData(3, 9, 7, 3, 5, 3)] // odd rows and columns are dropped by pooling
    [InlineData(2, 12, 10, 5, 20, 2)] // more than one register of channels
    public void Gradient_agrees_with_finite_differences(int channels, int height, int width, int kernel, int first, int second) =>
        GradientCheck.Run(Create(channels, height, width, kernel, first, second), channels * height * width, 4, batch: 3, coordinates: 60);

    [Fact]
    public void Gradient_of_three_stages_agrees_with_finite_differences() =>
        GradientCheck.Run(new ConvolutionalNetwork<double>(1, 10, 11, [3, 4, 5], 3, [], 4), 110, 4, batch: 2, coordinates: 60);

    [Theory]
    [InlineData(1, 8, 8, 5, 4, 6)]
    [InlineData(3, 9, 7, 3, 5, 3)]
    public void Resident_steps_are_gradient_and_SGD(int channels, int height, int width, int kernel, int first, int second) =>
        GradientCheck.RunResident(Create(channels, height, width, kernel, first, second), channels * height * width, 4, batch: 3);

    [Fact]
    public void Logits_agree_with_a_convolution_written_from_the_definition()
    {
        // One stage and no hidden layer; the loss of each class, one example at a time, gives the logits up to a constant.
        const int C = 2, H = 7, W = 6, O = 3, K = 5, Classes = 4;
        var model = new ConvolutionalNetwork<double>(C, H, W, [O], K, [], Classes);
        var (w, x, _) = GradientCheck.Example(model, C * H * W, Classes, 1);
        var kernel = model.Layout["conv1.weight"].In<double>(w).ToArray();
        var bias = model.Layout["conv1.bias"].In<double>(w).ToArray();
        var fc = model.Layout["fc1.weight"].In<double>(w).ToArray();
        var fcBias = model.Layout["fc1.bias"].In<double>(w).ToArray();
        var features = new List<double>();
        for (var o = 0; o < O; o++)
        {
            for (var py = 0; py < H / 2; py++)
            {
                for (var px = 0; px < W / 2; px++)
                {
                    features.Add(Math.Max(0, new[] { (0, 0), (0, 1), (1, 0), (1, 1) }.Max(q => At(o, (2 * py) + q.Item1, (2 * px) + q.Item2))));
                }
            }
        }

        var logits = Enumerable.Range(0, Classes).Select(k => fcBias[k] + features.Select((f, i) => f * fc[(k * features.Count) + i]).Sum()).ToArray();
        var normaliser = Math.Log(logits.Sum(Math.Exp));
        for (var label = 0; label < Classes; label++)
        {
            Assert.Equal(normaliser - logits[label], model.Evaluate(w, new Batch<double>(x, [label], 1)).LossSum, 12);
        }

        double At(int o, int y, int z)
        {
            var sum = bias[o];
            for (var c = 0; c < C; c++)
            {
                for (var u = 0; u < K; u++)
                {
                    for (var v = 0; v < K; v++)
                    {
                        var (row, column) = (y + u - (K / 2), z + v - (K / 2));
                        if (row >= 0 && row < H && column >= 0 && column < W)
                        {
                            sum += kernel[(((((o * C) + c) * K) + u) * K) + v] * x[(((c * H) + row) * W) + column];
                        }
                    }
                }
            }

            return sum;
        }
    }

    [Fact]
    public void A_divergence_does_not_outlive_the_parameters_that_caused_it()
    {
        var model = Create(1, 8, 8, 5, 4, 6);
        var (w, x, y) = GradientCheck.Example(model, 64, 4, 3);
        var before = new double[w.Length];
        var after = new double[w.Length];
        var bad = new double[w.Length];
        Array.Fill(bad, double.NaN);
        model.Gradient(w, new Batch<double>(x, y, 3), before);
        Assert.True(double.IsNaN(model.Gradient(bad, new Batch<double>(x, y, 3), after)));
        model.Gradient(w, new Batch<double>(x, y, 3), after);
        Assert.Equal(before, after);
    }

    [Fact]
    public void Shapes_that_make_no_sense_are_refused_with_a_reason()
    {
        Assert.Throws<TrainingException>(() => ModelFactory.Create<float>(new ConvolutionalNetworkOptions(), [60], 10));
        Assert.Throws<TrainingException>(() => ModelFactory.Create<float>(new ConvolutionalNetworkOptions { KernelSize = 4 }, [28, 28], 10));
        Assert.Throws<TrainingException>(() => ModelFactory.Create<float>(new ConvolutionalNetworkOptions { Channels = [1, 1, 1] }, [6, 6], 10));
        Assert.Throws<TrainingException>(() => ModelFactory.Create<float>(new ConvolutionalNetworkOptions { Channels = [] }, [6, 6], 10));
    }

    private static ConvolutionalNetwork<double> Create(int channels, int height, int width, int kernel, int first, int second) =>
        new(channels, height, width, [first, second], kernel, [7], 4);
}
