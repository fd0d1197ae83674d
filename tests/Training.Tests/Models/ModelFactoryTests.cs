using Federated.Training.Models;

namespace Federated.Training.Tests.Models;

public sealed class ModelFactoryTests
{
    [Fact]
    public void Every_kind_fits_the_data_s_shape()
    {
        Assert.Equal((784 * 10) + 10, ModelFactory.Create<float>(new SoftmaxRegressionOptions(), [1, 28, 28], 10).Layout.Count);
        Assert.Equal(159_010, ModelFactory.Create<float>(new MultilayerPerceptronOptions(), [28, 28], 10).Layout.Count);
        Assert.Equal(
            (3 * 32 * 25) + 32 + (32 * 64 * 25) + 64 + (64 * 64 * 512) + 512 + (512 * 10) + 10,
            ModelFactory.Create<float>(new ConvolutionalNetworkOptions(), [3, 32, 32], 10).Layout.Count);
    }

    [Fact]
    public void Data_without_features_or_with_one_class_is_refused()
    {
        var error = Assert.Throws<TrainingException>(() => ModelFactory.Create<float>(new SoftmaxRegressionOptions(), [4], 1));
        Assert.Contains("two classes", error.Message, StringComparison.Ordinal);
        Assert.Throws<TrainingException>(() => ModelFactory.Create<float>(new MultilayerPerceptronOptions(), [0], 2));
    }
}
