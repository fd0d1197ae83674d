using Federated.Simulation.Configuration;
using Federated.Simulation.Tests.Configuration.Binding;

namespace Federated.Simulation.Tests.Configuration;

public sealed class ConfigurationFileTests
{
    private static string Error(string path, params string[] sets) => Assert.Single(ConfigurationFile.Load<SampleOptions>(path, sets).Errors).ToString();

    [Fact]
    public void AMissingFileIsAnError() => Assert.Equal("no/such.yaml: there is no such file.", Error("no/such.yaml"));

    [Fact]
    public void AFolderIsAnError() => Assert.Equal($"{Path.GetTempPath()}: this is a folder; name a YAML file in it.", Error(Path.GetTempPath()));

    [Fact]
    public void ErrorsNameTheFileAsTyped()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "batchSize: 0");
            Assert.Equal($"{path}:1:12: batchSize: must be 1 or more; there is 0.", Error(path));
            Assert.Equal(5, ConfigurationFile.Load<SampleOptions>(path, "batchSize=5").Value!.BatchSize);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void MalformedOverridesAndAMalformedFileAreToldTogether()
    {
        var result = ConfigurationFile.Read<SampleOptions>("a: [", "f.yaml", "x", "=y");
        Assert.Equal(["--set x", "--set =y", "f.yaml:2:1"], result.Errors.Select(e => e.Location.ToString()));
    }
}
