using Federated.Training.Models;

namespace Federated.Training.Tests.Models;

/// <summary>
/// The same network in PyTorch 1.13 (float64): Conv2d(2, 3, 3, padding=1), ReLU, MaxPool(2), Conv2d(3, 4, 3, padding=1), ReLU, MaxPool(2), flatten,
/// Linear(16, 5), ReLU, Linear(5, 3), cross_entropy. Parameter i = 1, 2, … in state_dict order is 0.3·sin(i); feature j of the batch is cos(0.7·j); images
/// are 2×9×8, labels (2, 0). Per tensor: Σ_k g_k·cos(k), which depends on the order of the elements, and Σ_k |g_k|.
/// </summary>
public sealed class PyTorchAgreementTests
{
    private static readonly (string Tensor, double Weighted, double Absolute)[] Expected =
    [
        ("conv1.weight", -0.001559096377150108, 0.07040308859688597),
        ("conv1.bias", 0.0031439025814603795, 0.0068949303218863054),
        ("conv2.weight", -0.003670065908522498, 0.01584739124969268),
        ("conv2.bias", -0.007703253589954585, 0.007703253589954585),
        ("fc1.weight", -0.005030688707941882, 0.16647806087799344),
        ("fc1.bias", 0.10276836323426039, 0.14387354696931834),
        ("fc2.weight", 0.04462215988624804, 0.4646612140597465),
        ("fc2.bias", 0.0304940914327535, 0.6667026865793342),
    ];

    [Fact]
    public void The_convolutional_network_has_PyTorch_s_loss_and_gradient_tensor_by_tensor()
    {
        var model = new ConvolutionalNetwork<double>(2, 9, 8, [3, 4], 3, [5], 3);
        var w = new double[model.Layout.Count];
        for (var i = 0; i < w.Length; i++)
        {
            w[i] = 0.3 * Math.Sin(i + 1);
        }

        double[] x = [.. Enumerable.Range(0, 2 * 2 * 9 * 8).Select(j => Math.Cos(0.7 * j))];
        var gradient = new double[w.Length];
        Assert.Equal(1.1048015208338513, model.Gradient(w, new Batch<double>(x, [2, 0], 2), gradient), 1e-13);
        Assert.Equal(Expected.Select(e => e.Tensor), model.Layout.Tensors.Select(t => t.Name));
        foreach (var (tensor, weighted, absolute) in Expected)
        {
            var g = model.Layout[tensor].In<double>(gradient).ToArray();
            Assert.Equal(weighted, g.Select((v, k) => v * Math.Cos(k)).Sum(), 1e-13);
            Assert.Equal(absolute, g.Sum(Math.Abs), 1e-13);
        }
    }
}
