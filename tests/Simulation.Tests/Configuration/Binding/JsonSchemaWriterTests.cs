using System.Text.Json.Nodes;
using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Tests.Configuration.Binding;

public sealed class JsonSchemaWriterTests
{
    private static readonly JsonNode Schema = JsonNode.Parse(JsonSchemaWriter.Write(typeof(SampleOptions), "https://example.org/s.json", "Sample"))!;

    private static JsonNode Property(string name) => Schema["properties"]![name]!;

    [Fact]
    public void NoOtherKeysAreAllowed() => Assert.False((bool)Schema["additionalProperties"]!);

    [Fact]
    public void RangesBecomeBounds()
    {
        Assert.Equal(0, (double)Property("learningRate")["exclusiveMinimum"]!);
        Assert.Equal(10, (double)Property("learningRate")["maximum"]!);
        Assert.Equal(1, (int)Property("batchSize")["minimum"]!);
        Assert.Null(Property("batchSize")["maximum"]);
        Assert.Equal(4096, (int)Property("hidden")["items"]!["maximum"]!);
        Assert.Equal(1, (int)Property("hidden")["minItems"]!);
    }

    [Fact]
    public void DefaultsAreWritten()
    {
        Assert.Equal(0.1, (double)Property("learningRate")["default"]!);
        Assert.Equal("fast", (string)Property("mode")["default"]!);
        Assert.Equal("circle", (string)Property("shape")["default"]!);
        Assert.Equal("[200,100]", Property("hidden")["default"]!.ToJsonString());
        Assert.Null(Property("deadline")["default"]);
    }

    [Fact]
    public void EnumsListTheirNames() => Assert.Equal(["fast", "bit-exact"], Property("mode")["oneOf"]!.AsArray().Select(choice => (string)choice!["const"]!));

    [Fact]
    public void NullableMayBeNull() => Assert.Equal("null", (string)Property("limit")["anyOf"]![1]!["type"]!);

    [Fact]
    public void AUnionHasOneChoicePerKindAndTheBareNamesOfThoseThatNeedNoKey()
    {
        var choices = Schema["$defs"]!["sampleShape"]!["oneOf"]!.AsArray();
        Assert.Equal(["circle"], choices[0]!["enum"]!.AsArray().Select(kind => (string)kind!));
        Assert.Equal(["circle", "rectangle", "polygon"], choices.Skip(1).Select(choice => (string)choice!["properties"]!["kind"]!["const"]!));
        Assert.Equal(["kind", "width", "label"], choices[2]!["required"]!.AsArray().Select(key => (string)key!));
    }

    [Fact]
    public void DescriptionsComeFromTheDocumentation()
    {
        // Product assemblies have documentation files; test assemblies do not.
        var schema = JsonNode.Parse(JsonSchemaWriter.Write(typeof(Federated.Training.Data.Generators.DrawnDigitsOptions), "x", "x"))!;
        Assert.StartsWith("How many writers draw; with the natural partition each is a client. The default is 50.", (string)schema["properties"]!["writers"]!["description"]!, StringComparison.Ordinal);
    }
}
