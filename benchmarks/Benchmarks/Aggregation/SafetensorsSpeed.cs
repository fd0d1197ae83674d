using System.Globalization;
using Federated.Aggregation.Parameters;

namespace Federated.Benchmarks.Aggregation;

/// <summary>Writing and reading 11.2 million float parameters as safetensors, in memory, by element type, on one thread.</summary>
[WholeProcess("safetensors", "[parameters] [passes]: model files in memory, written and read as F32, F64, F16, BF16, on 1 thread", "parameters:count", "passes:count")]
internal static class SafetensorsSpeed
{
    public static int Run(string[] args)
    {
        var dimension = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 11_200_000;
        var passes = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 15;
        var values = Memory.Vectors(1, dimension)[0];
        var layout = ParameterLayout.Of(("weight", [dimension]));
        var back = new float[dimension];
        foreach (var type in Enum.GetValues<ElementType>())
        {
            var writer = new SafetensorsWriter().Add<float>(layout, values, type);
            var file = new MemoryStream(new byte[writer.Length]);
            void Write()
            {
                file.Position = 0;
                writer.WriteTo(file);
            }

            void Read()
            {
                file.Position = 0;
                SafetensorsReader.Open(file).Read<float>(layout, back);
            }

            Write();
            Read();
            var (write, read) = (Memory.Best(passes, Write), Memory.Best(passes, Read));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{type,-5} write {write * 1e3,7:F1} ms {dimension / write / 1e6,7:N0} M parameters/s   read {read * 1e3,7:F1} ms {dimension / read / 1e6,7:N0} M parameters/s"));
        }

        return 0;
    }
}
