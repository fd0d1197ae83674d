using System.Collections.Immutable;
using Federated.Simulation.Configuration.Binding;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Simulation.Tests.Configuration.Binding;

public sealed class ConfigWriterTests
{
    [Fact]
    public void EveryDefaultIsWrittenInTheOrderOfDeclaration() =>
        Assert.Equal(
            """
            name: sample
            seed: 1
            verbose: false
            learningRate: 0.1
            batchSize: 32
            deadline: .inf
            momentum: 0.9
            limit: null
            note: null
            mode: fast
            hidden: [200, 100]
            shape:
              kind: circle
              colour: black
              radius: 1
            shapes:
              - kind: polygon
                colour: black
                corners: 3
                side: 1
              - kind: circle
                colour: "yes"
                radius: 1
            table:
              a: 1
              "b:c": 1E-07
            stop:
              versions: 100
              targetAccuracy: 0

            """,
            ConfigWriter.Write(new SampleOptions
            {
                Shapes = [new SamplePolygon(3), new SampleCircle { Colour = "yes" }],
                Table = ImmutableSortedDictionary<string, double>.Empty.Add("b:c", 1e-7).Add("a", 1),
            }));

    [Fact]
    public void ReadingBackGivesTheSameOptions() => Check.One(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL), Prop.ForAll(Options(), options =>
    {
        var text = ConfigWriter.Write(options);
        var bound = ConfigBinder.Bind<SampleOptions>(YamlConfigReader.Read(text, "config.yaml").Value!);
        Assert.True(bound.IsValid, $"{string.Join("\n", bound.Errors)}\n{text}");
        Assert.Equal(text, ConfigWriter.Write(bound.Value));
        // Lists compare by reference in records; all the rest by value.
        Assert.Equal<int>(options.Hidden, bound.Value.Hidden);
        Assert.Equal(options.Shapes, bound.Value.Shapes);
        Assert.Equal(options.Table, bound.Value.Table);
        Assert.Equal(options, bound.Value with { Hidden = options.Hidden, Shapes = options.Shapes, Table = options.Table });
    }));

    private static Arbitrary<SampleOptions> Options()
    {
        var text = Gen.OneOf(
            Gen.Elements("null", "true", "yes", "", " ", "~", "- a", "a: b", "#x", "1", "1e5", ".inf", "é\"\\\n\t", "a b", "plain", "*x", "&x", "🙂", "'", "a #b", "..."),
            ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => s.Get.Replace("\0", "", StringComparison.Ordinal)).Where(s => !s.Any(char.IsSurrogate)));
        var number = Gen.OneOf(ArbMap.Default.GeneratorFor<NormalFloat>().Select(f => f.Get), Gen.Elements(0, 1, double.MaxValue, double.Epsilon, double.PositiveInfinity, 1.0 / 3));
        var shape = Gen.OneOf(
            text.Select(SampleShape (colour) => new SampleCircle { Colour = colour }),
            number.Select(SampleShape (width) => new SampleRectangle { Width = width, Label = "l" }),
            ArbMap.Default.GeneratorFor<int>().Select(SampleShape (corners) => new SamplePolygon(corners)));
        return (from name in text.Where(t => !string.IsNullOrWhiteSpace(t))
                from note in Gen.OneOf(Gen.Constant<string?>(null), text.Select(string? (t) => t))
                from seed in ArbMap.Default.GeneratorFor<ulong>()
                from deadline in number
                from momentum in ArbMap.Default.GeneratorFor<float>().Where(float.IsFinite)
                from mode in Gen.Elements(SampleMode.Fast, SampleMode.BitExact)
                from hidden in Gen.Choose(1, 4096).NonEmptyListOf()
                from one in shape
                from shapes in shape.ListOf()
                from keys in text.ListOf()
                select new SampleOptions
                {
                    Name = name,
                    Note = note,
                    Seed = seed,
                    Deadline = deadline,
                    Momentum = momentum,
                    Mode = mode,
                    Hidden = [.. hidden],
                    Shape = one,
                    Shapes = [.. shapes],
                    Table = keys.Distinct().ToImmutableSortedDictionary(key => key, key => (double)key.Length, StringComparer.Ordinal),
                }).ToArbitrary();
    }
}
