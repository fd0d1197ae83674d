using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Tests.Configuration.Binding;

public sealed class ConfigBinderTests
{
    private static ConfigResult<SampleOptions> Bind(string yaml, params string[] sets)
    {
        var node = YamlConfigReader.Read(yaml, "run.yaml");
        Assert.True(node.IsValid, node.IsValid ? "" : node.Errors[0].ToString());
        return ConfigBinder.Bind<SampleOptions>(node.Value, sets.Select(set => ConfigOverride.Parse(set).Value!));
    }

    private static SampleOptions Good(string yaml, params string[] sets)
    {
        var result = Bind(yaml, sets);
        Assert.True(result.IsValid, string.Join("\n", result.Errors));
        return result.Value;
    }

    private static string Bad(string yaml, params string[] sets)
    {
        var result = Bind(yaml, sets);
        Assert.False(result.IsValid);
        return string.Join("\n", result.Errors);
    }

    public sealed class Values
    {
        [Theory]
        [InlineData("")]
        [InlineData("# only a comment\n")]
        [InlineData("---\n")]
        [InlineData("{}")]
        public void AnEmptyFileGivesEveryDefault(string yaml) => Assert.Equal(ConfigWriter.Write(new SampleOptions()), ConfigWriter.Write(Good(yaml)));

        [Fact]
        public void KeysAreCamelCaseAndEnumsKebabCase()
        {
            var options = Good("learningRate: 0.5\nbatchSize: 10\nmode: bit-exact\nverbose: true");
            Assert.Equal((0.5, 10, SampleMode.BitExact, true), (options.LearningRate, options.BatchSize, options.Mode, options.Verbose));
        }

        [Theory]
        [InlineData("60_000", 60_000)]
        [InlineData("1e3", 1000)]
        [InlineData("+7", 7)]
        public void WholeNumbersMayBeWrittenReadably(string text, int value) => Assert.Equal(value, Good($"batchSize: {text}").BatchSize);

        [Fact]
        public void ASeedUsesAll64Bits() => Assert.Equal(ulong.MaxValue, Good("seed: 18446744073709551615").Seed);

        [Fact]
        public void InfinityIsWrittenAsYamlDoes() => Assert.Equal(double.PositiveInfinity, Good("deadline: .inf").Deadline);

        [Fact]
        public void NullUnsetsANullable() => Assert.Null(Good("limit: null\nnote: ~").Limit);

        [Fact]
        public void ListsTakeBothForms()
        {
            Assert.Equal<int>([5, 6], Good("hidden: [5, 6]").Hidden);
            Assert.Equal<int>([5, 6], Good("hidden:\n  - 5\n  - 6").Hidden);
        }

        [Fact]
        public void AMapKeepsItsKeys() => Assert.Equal(2.5, Good("table: {a: 1, b: 2.5}").Table["b"]);

        [Fact]
        public void TheKindChoosesTheType() => Assert.Equal(new SampleCircle { Radius = 3, Colour = "red" }, Good("shape: {kind: circle, radius: 3, colour: red}").Shape);

        [Fact]
        public void ABareWordIsAKindWithItsDefaults() => Assert.Equal(new SampleCircle(), Good("shape: circle").Shape);

        [Fact]
        public void ConstructorParametersAreKeys() => Assert.Equal(new SamplePolygon(5, 2), Good("shape: {kind: polygon, corners: 5, side: 2}").Shape);

        [Fact]
        public void ConstructorDefaultsHold() => Assert.Equal(new SamplePolygon(5), Good("shape: {kind: polygon, corners: 5}").Shape);

        [Fact]
        public void AListOfKindsIsBound() => Assert.Equal<SampleShape>([new SampleCircle(), new SamplePolygon(3)], Good("shapes:\n- circle\n- {kind: polygon, corners: 3}").Shapes);

        [Fact]
        public void GivingOneKeyOfASectionKeepsTheDefaultsOfTheOthers() => Assert.Equal(new SampleStop { Versions = 100, TargetAccuracy = 0.9 }, Good("stop: {targetAccuracy: 0.9}").Stop);

        [Fact]
        public void AnAnchorIsItsValue() => Assert.Equal<int>([8, 8], Good("hidden: [&n 8, *n]").Hidden);
    }

    public sealed class Errors
    {
        [Fact]
        public void AMisspeltKeyIsPlacedAndTheRightOneNamed() =>
            Assert.Equal("run.yaml:2:1: there is no key 'learningrat'; did you mean 'learningRate'?", Bad("name: x\nlearningrat: 0.1"));

        [Theory]
        [InlineData("learning_rate")]
        [InlineData("LearningRate")]
        [InlineData("learning-rate")]
        [InlineData("leraningRate")]
        public void AnotherSpellingIsRecognised(string key) => Assert.Contains("did you mean 'learningRate'?", Bad($"{key}: 0.1"), StringComparison.Ordinal);

        [Fact]
        public void AKeyOfAnotherPlaceIsFoundThere() =>
            Assert.StartsWith("run.yaml:1:1: there is no key 'targetAccuracy' here, but there is 'stop.targetAccuracy'; the keys here are name, seed,", Bad("targetAccuracy: 1"), StringComparison.Ordinal);

        [Fact]
        public void AKeyOfAnotherKindSaysWhichKind() =>
            Assert.Equal(
                "run.yaml:1:24: shape: there is no key 'corners' for kind 'circle'; it belongs to 'polygon'. Change the kind, or remove the key; the keys here are colour, radius.",
                Bad("shape: {kind: circle,  corners: 5}"));

        [Fact]
        public void AnUnknownKeyWithoutLikenessListsTheKeys() =>
            Assert.Equal("run.yaml:2:3: stop: there is no key 'zzzzzz'; the keys here are versions, targetAccuracy.", Bad("stop:\n  zzzzzz: 1"));

        [Theory]
        [InlineData("batchSize: many", "run.yaml:1:12: batchSize: needs a whole number; there is 'many'.")]
        [InlineData("batchSize: 1.5", "run.yaml:1:12: batchSize: needs a whole number; there is '1.5'.")]
        [InlineData("batchSize: 3000000000", "run.yaml:1:12: batchSize: needs a whole number; there is '3000000000'.")]
        [InlineData("batchSize: \"5\"", "run.yaml:1:12: batchSize: needs a whole number; there is the text \"5\"; leave out the quotes.")]
        [InlineData("batchSize: [5]", "run.yaml:1:12: batchSize: needs a whole number; there is a list.")]
        [InlineData("batchSize:", "run.yaml:1:11: batchSize: must have a value; a whole number is needed.")]
        [InlineData("seed: -1", "run.yaml:1:7: seed: needs a whole number of 0 or more; there is '-1'.")]
        [InlineData("verbose: yes", "run.yaml:1:10: verbose: needs true or false; there is 'yes'; write true.")]
        [InlineData("learningRate: 0,1", "run.yaml:1:15: learningRate: needs a number; there is '0,1'.")]
        [InlineData("hidden: 5", "run.yaml:1:9: hidden: needs a list, as in [a, b]; there is '5'.")]
        [InlineData("hidden: [5, x]", "run.yaml:1:13: hidden[1]: needs a whole number; there is 'x'.")]
        [InlineData("mode: bitexact", "run.yaml:1:7: mode: there is no 'bitexact' here; did you mean 'bit-exact'?; one of fast, bit-exact is needed.")]
        [InlineData("stop: 5", "run.yaml:1:7: stop: needs keys with values (versions, targetAccuracy); there is '5'.")]
        [InlineData("shape: circel", "run.yaml:1:8: shape: there is no kind 'circel'; did you mean 'circle'?; the kinds are circle, rectangle, polygon.")]
        [InlineData("shape: {radius: 2}", "run.yaml:1:8: shape: needs a kind (these keys fit circle): one of circle, rectangle, polygon.")]
        [InlineData("shape: rectangle", "run.yaml:1:8: shape: key 'label' is missing; text is needed.\nrun.yaml:1:8: shape: key 'width' is missing; a number is needed.")]
        [InlineData("name: \"\"", "run.yaml:1:7: name: must not be empty.")]
        [InlineData("shape: {kind: polygon}", "run.yaml:1:8: shape: key 'corners' is missing; a whole number is needed.")]
        [InlineData("table: {a: x}", "run.yaml:1:12: table.a: needs a number; there is 'x'.")]
        public void AWrongValueSaysWhatIsNeededAndWhatIsThere(string yaml, string message) => Assert.Equal(message, string.Join('\n', Bad(yaml).Split('\n').Order(StringComparer.Ordinal)));

        [Theory]
        [InlineData("learningRate: 0", "run.yaml:1:15: learningRate: must be in (0, 10]; there is 0.")]
        [InlineData("batchSize: 0", "run.yaml:1:12: batchSize: must be 1 or more; there is 0.")]
        [InlineData("learningRate: .nan", "run.yaml:1:15: learningRate: must be in (0, 10]; there is .nan.")]
        [InlineData("hidden: [1, 5000]", "run.yaml:1:13: hidden[1]: must be in [1, 4096]; there is 5000.")]
        [InlineData("hidden: []", "run.yaml:1:9: hidden: needs at least 1 entry.")]
        [InlineData("stop:\n  targetAccuracy: 95", "run.yaml:2:19: stop.targetAccuracy: must be in [0, 1]; there is 95.")]
        [InlineData("shapes: [circle, {kind: circle, radius: -1}]", "run.yaml:1:41: shapes[1].radius: must be 0 or more; there is -1.")]
        public void AValueOutOfRangeNamesTheRange(string yaml, string message) => Assert.Equal(message, Bad(yaml));

        [Fact]
        public void ARuleBetweenKeysIsAskedAndPlacedAtAWrittenKey() =>
            Assert.Equal("run.yaml:1:8: A limit of 5 is below the batch size of 32.", Bad("limit: 5"));

        [Fact]
        public void ARuleBetweenKeysIsNotAskedWhenOneOfThemIsWrong() => Assert.DoesNotContain("limit", Bad("limit: 5\nbatchSize: x"), StringComparison.OrdinalIgnoreCase);

        [Fact]
        public void AllErrorsAreToldAtOnceInTheOrderOfTheFile()
        {
            var lines = Bad("batchSize: x\nlearningRate: 99\nzzz: 1\nshape: {kind: circle, radius: y}").Split('\n');
            Assert.Equal(4, lines.Length);
            Assert.Equal(["1", "2", "3", "4"], lines.Select(line => line.Split(':')[1]));
        }
    }

    public sealed class Overrides
    {
        [Fact]
        public void ReplacesAValue() => Assert.Equal(5, Good("batchSize: 10", "batchSize=5").BatchSize);

        [Fact]
        public void TheLastOneWins() => Assert.Equal(6, Good("", "batchSize=5", "batchSize=6").BatchSize);

        [Fact]
        public void AddsASection() => Assert.Equal(0.5, Good("", "stop.targetAccuracy=0.5").Stop.TargetAccuracy);

        [Fact]
        public void ReachesIntoALists()
        {
            Assert.Equal<int>([7, 6], Good("hidden: [5, 6]", "hidden[0]=7").Hidden);
            Assert.Equal<int>([5, 6, 7], Good("hidden: [5, 6]", "hidden.2=7").Hidden);
        }

        [Fact]
        public void TakesYamlValues() => Assert.Equal(new SampleCircle { Radius = 2 }, Good("", "shape={kind: circle, radius: 2}").Shape);

        [Fact]
        public void OpensABareKind() => Assert.Equal(new SampleCircle { Radius = 2 }, Good("shape: circle", "shape.radius=2").Shape);

        [Fact]
        public void NullUnsets() => Assert.Null(Good("note: x", "note=null").Note);

        [Fact]
        public void AnErrorNamesTheOverride() => Assert.Equal("--set batchSize=x: batchSize: needs a whole number; there is 'x'.", Bad("", "batchSize=x"));

        [Fact]
        public void APlaceBeyondTheListIsRefused() =>
            Assert.Equal("--set hidden[5]=1: hidden: this is a list; '5' is no place in it: it has places 0 to 1, and 2 appends.", Bad("hidden: [5, 6]", "hidden[5]=1"));

        [Theory]
        [InlineData("batchSize")]
        [InlineData("=5")]
        [InlineData("a..b=5")]
        [InlineData("batchSize=")]
        [InlineData("batchSize=[1")]
        public void AMalformedOverrideIsRefused(string text)
        {
            var error = Assert.Single(ConfigOverride.Parse(text).Errors);
            Assert.Equal($"--set {text}", error.Location.ToString());
        }
    }
}
