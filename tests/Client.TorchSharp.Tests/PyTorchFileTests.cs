using System.Diagnostics;
using System.Runtime.InteropServices;
using Federated.Aggregation;
using Federated.Aggregation.Parameters;
using Federated.Client.TorchSharp.Modules;
using Federated.Training.Models;
using TensorModule = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace Federated.Client.TorchSharp.Tests;

/// <summary>Files of PyTorch and of this project, read by the other: same names, same shapes, same outputs.</summary>
public sealed class PyTorchFileTests
{
    private const string Python = "/usr/bin/python3";

    private static readonly string[] Modules = ["cnn", "resnet", "lstm", "transformer", "adapters"];

    public static TheoryData<string> Names => [.. Modules];

    [Theory]
    [MemberData(nameof(Names))]
    public void AModuleWithPyTorchsStateMakesPyTorchsOutput(string name)
    {
        using var scope = NewDisposeScope();
        using var module = Create(name);
        using (var file = File.OpenRead(Golden($"{name}.safetensors")))
        {
            ModuleFile.Load(module, file);
        }

        var (input, expected) = Pair(name);
        TestData.Near(expected, Output(module, input), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AFileThatGoesOutAndComesBackChangesNothing(string name)
    {
        using var scope = NewDisposeScope();
        using var first = Create(name);
        using var second = Create(name);
        using var file = new MemoryStream();
        ModuleFile.Save(first, file);
        file.Position = 0;
        ModuleFile.Load(second, file);
        Assert.Equal(Output(first, Pair(name).Input), Output(second, Pair(name).Input));
    }

    [Fact]
    public void TheFilesOfARunAreAModulesState()
    {
        // What a coordinator publishes is written from the flat layout: the same bytes as the module's own file.
        var data = TestData.Images(8);
        using var trainer = TestData.Torch(TestData.Convolutional, data);
        var values = TestData.Initial(trainer.Model);
        using var published = new MemoryStream();
        new SafetensorsWriter().Add<float>(trainer.Model.Layout, values).WriteTo(published);
        published.Position = 0;
        using var scope = NewDisposeScope();
        using var module = Create("cnn");
        ModuleFile.Load(module, published);
        using var saved = new MemoryStream();
        ModuleFile.Save(module, saved);
        saved.Position = 0;
        var back = new float[values.Length];
        SafetensorsReader.Open(saved).Read<float>(trainer.Model.Layout, back);
        Assert.Equal(values, back);
    }

    [Fact]
    public void ATensorThatTheModuleLacksIsRefusedUnlessOthersAreIgnored()
    {
        using var scope = NewDisposeScope();
        using var module = nn.Linear(3, 2);
        using var larger = nn.Sequential(("a", nn.Linear(3, 2)));
        using var file = new MemoryStream();
        ModuleFile.Save(larger, file);
        file.Position = 0;
        Assert.Contains("'weight'", Assert.Throws<AggregationException>(() => ModuleFile.Load(module, file, ignoreOthers: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PyTorchReadsOurFilesStrictlyAndMakesOurOutputs()
    {
        if (!await HasPyTorchAsync())
        {
            return; // The other direction is checked everywhere, by the files that PyTorch wrote.
        }

        var folder = Directory.CreateTempSubdirectory("fed-pytorch-").FullName;
        try
        {
            foreach (var name in Modules)
            {
                using var scope = NewDisposeScope();
                using var module = Create(name);
                using (var file = File.Create(Path.Combine(folder, $"{name}.ours.safetensors")))
                {
                    ModuleFile.Save(module, file);
                }

                var input = Pair(name).Input;
                var output = Output(module, input);
                using var pair = File.Create(Path.Combine(folder, $"{name}.ours-io.safetensors"));
                new SafetensorsWriter().Add<float>(ParameterLayout.Of(("input", Shape(name)), ("output", [3, output.Length / 3])), (float[])[.. input, .. output]).WriteTo(pair);
            }

            var (code, said) = await RunAsync(Golden("pytorch.py"), "check", folder);
            Assert.True(code == 0, said);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<bool> HasPyTorchAsync() => File.Exists(Python) && (await RunAsync("-c", "import torch")).Code == 0;

    /// <summary>No thread waits for it: there are few, and what goes on beside would stand still.</summary>
    private static async Task<(int Code, string Said)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(said));
    }

    private static string Golden(string file) => Path.Combine(AppContext.BaseDirectory, "Golden", file);

    private static bool IsText(string name) => name is "lstm" or "transformer" or "adapters";

    private static int[] Shape(string name) => IsText(name) ? [3, 5] : [3, 1, 8, 8];

    private static TensorModule Create(string name)
    {
        var transformer = new CharacterTransformerOptions { Width = 8, Heads = 2, Layers = 2 };
        return name switch
        {
            "cnn" => TorchModules.Create(TestData.Convolutional, [1, 8, 8], 4).Create(),
            "resnet" => new ResidualNetwork(1, [4, 8], 1, 2, 4),
            "lstm" => new CharacterLstm(7, 5, 6, 2),
            "transformer" => new CharacterTransformer(7, 5, transformer),
            _ => new CharacterTransformer(7, 5, transformer with { AdapterRank = 2, AdapterScale = 3 }),
        };
    }

    private static (float[] Input, float[] Output) Pair(string name)
    {
        using var file = File.OpenRead(Golden($"{name}-io.safetensors"));
        var layout = ParameterLayout.Of(("input", Shape(name)), ("output", [3, IsText(name) ? 7 : 4]));
        var values = new float[layout.Count];
        SafetensorsReader.Open(file).Read<float>(layout, values);
        return (layout["input"].In<float>(values).ToArray(), layout["output"].In<float>(values).ToArray());
    }

    private static float[] Output(TensorModule module, float[] input)
    {
        using var quiet = no_grad();
        var name = module.GetName();
        var isText = name.StartsWith("Character", StringComparison.Ordinal);
        var given = tensor(input, isText ? [3, 5] : [3, 1, 8, 8]);
        return MemoryMarshal.Cast<byte, float>(module.call(isText ? given.to(int64) : given).contiguous().bytes).ToArray();
    }
}
