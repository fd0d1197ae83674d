using System.Runtime.InteropServices;
using Federated.Client.TorchSharp.Binding;
using Federated.Training;
using Federated.Training.LocalTraining;

namespace Federated.Client.TorchSharp.Tests.Binding;

public sealed class FlatModuleTests
{
    [Fact]
    public void TheLayoutHasTheStateDictsNamesAndShapes()
    {
        using var flat = new FlatModule(nn.Sequential(("a", nn.Linear(3, 2)), ("b", nn.Linear(2, 4, hasBias: false))), CPU);
        Assert.Equal(["a.weight", "a.bias", "b.weight"], flat.Layout.Tensors.Select(t => t.Name));
        Assert.Equal([2, 3], flat.Layout["a.weight"].Shape.ToArray());
        Assert.Equal(16, flat.Layout.Count);
    }

    [Fact]
    public void WritingTheBufferIsWritingTheModule()
    {
        using var scope = NewDisposeScope();
        using var flat = new FlatModule(nn.Sequential(("a", nn.Linear(2, 1))), CPU);
        flat.Load([10, 20, 3]);
        Assert.Equal(10 + 40 + 3, flat.Module.call(tensor(new float[] { 1, 2 })).ToSingle());
        MemoryMarshal.Cast<byte, float>(flat.Parameters.bytes)[2] = 4;
        Assert.Equal(54, flat.Module.call(tensor(new float[] { 1, 2 })).ToSingle());
    }

    [Fact]
    public void GradientsOfBackwardPassesGatherInTheBuffer()
    {
        using var scope = NewDisposeScope();
        using var flat = new FlatModule(nn.Sequential(("a", nn.Linear(2, 1))), CPU);
        for (var pass = 1; pass <= 2; pass++)
        {
            flat.Module.call(tensor(new float[] { 5, 7 })).sum().backward();
            Assert.Equal([5f * pass, 7f * pass, 1f * pass], flat.GradientSpan.ToArray());
        }

        flat.ClearGradient();
        Assert.Equal([0f, 0f, 0f], flat.GradientSpan.ToArray());
    }

    [Fact]
    public void WhatIsFrozenDoesNotTravel()
    {
        var fixedLayer = nn.Linear(3, 3);
        foreach (var parameter in fixedLayer.parameters())
        {
            parameter.requires_grad = false;
        }

        using var flat = new FlatModule(nn.Sequential(("base", fixedLayer), ("head", nn.Linear(3, 2))), CPU);
        Assert.Equal(["head.weight", "head.bias"], flat.Layout.Tensors.Select(t => t.Name));
    }

    [Fact]
    public void AModuleWithNothingToTrainIsRefused()
    {
        var refusal = Assert.Throws<TrainingException>(() => new FlatModule(nn.Sequential(("relu", nn.ReLU())), CPU));
        Assert.Contains("nothing to train", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AModuleInDoublePrecisionIsRefused()
    {
        var refusal = Assert.Throws<TrainingException>(() => new FlatModule(nn.Sequential(("a", nn.Linear(2, 1, dtype: float64))), CPU));
        Assert.Contains("float32", refusal.Message, StringComparison.Ordinal);
    }

    public sealed class Buffers
    {
        [Fact]
        public void ThatTravelAreReadAndWrittenWithTheParameters()
        {
            using var scope = NewDisposeScope();
            using var flat = Normalised(BufferPolicy.Travel);
            Assert.Equal(["norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"], flat.Layout.Tensors.Select(t => t.Name));
            Assert.Equal(4, flat.TrainedCount);
            flat.Load([1, 1, 0, 0, 5, 6, 7, 8]);
            flat.Module.train();
            flat.Module.call(tensor(new float[] { 10, 20, 30, 40 }, [2, 2]));
            var stored = new float[8];
            flat.Store(stored);
            TestData.Near([1, 1, 0, 0, (0.9f * 5) + (0.1f * 20), (0.9f * 6) + (0.1f * 30)], stored.AsSpan(0, 6), 1e-5);
        }

        [Fact]
        public void ThatAreResetBeginEveryTaskAsTheModuleWasMade()
        {
            using var scope = NewDisposeScope();
            using var flat = Normalised(BufferPolicy.Reset);
            Assert.Equal(4, flat.Layout.Count);
            flat.Module.train();
            flat.Module.call(tensor(new float[] { 10, 20, 30, 40 }, [2, 2]));
            flat.Load([1, 1, 0, 0]);
            Assert.Equal([0f, 0f], Mean(flat));
        }

        [Fact]
        public void ThatAreKeptStayAsTheyAre()
        {
            using var scope = NewDisposeScope();
            using var flat = Normalised(BufferPolicy.Keep);
            Assert.Equal(4, flat.Layout.Count);
            flat.Module.train();
            flat.Module.call(tensor(new float[] { 10, 20, 30, 40 }, [2, 2]));
            flat.Load([1, 1, 0, 0]);
            TestData.Near([2, 3], Mean(flat), 1e-5);
        }

        private static FlatModule Normalised(BufferPolicy policy) => new(nn.Sequential(("norm", nn.BatchNorm1d(2))), CPU, TorchPrecision.Float32, policy);

        private static float[] Mean(FlatModule flat) => MemoryMarshal.Cast<byte, float>(flat.Module.named_buffers().First(b => b.name == "norm.running_mean").buffer.bytes).ToArray();
    }

    public sealed class HalfPrecision
    {
        [Fact]
        public void ComputesWithRoundedCopiesAndKeepsTheMasters()
        {
            using var scope = NewDisposeScope();
            using var flat = new FlatModule(nn.Sequential(("a", nn.Linear(1, 1))), CPU, TorchPrecision.Bfloat16);
            float[] values = [1.0001f, 0];
            flat.Load(values);
            var output = flat.Module.call(tensor(new float[] { 1 }).to(bfloat16));
            Assert.Equal(bfloat16, output.dtype);
            Assert.Equal(1f, output.to(float32).ToSingle());
            var stored = new float[2];
            flat.Store(stored);
            Assert.Equal(values, stored);
            output.sum().backward();
            flat.CollectGradient();
            Assert.Equal([1f, 1f], flat.GradientSpan.ToArray());
        }
    }
}
