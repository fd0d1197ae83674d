using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Training.Data;
using Federated.Training.Data.Generators;
using Federated.Training.Data.Loading.Csv;
using Federated.Training.Data.Partitioning;

namespace Federated.Training.Tests.Data;

/// <summary>The options as configuration meets them.</summary>
public static class DataOptionsTests
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    private static DataOptions Read(string json) => JsonSerializer.Deserialize<DataOptions>(json, Json)!;

    [Fact]
    public static void A_known_set_and_a_partition_bind_by_kind() =>
        Assert.Equal(
            new DataOptions { Set = "mnist", Partition = new DirichletPartition { Alpha = 0.1, Clients = 100 } },
            Read("""{"set": "mnist", "partition": {"kind": "dirichlet", "alpha": 0.1, "clients": 100}}"""));

    [Fact]
    public static void Sizes_bind_by_kind_within_a_partition() =>
        Assert.Equal(
            new ClientDirichletPartition { Sizes = new LogNormalSizes { Sigma = 0.3 } },
            Read("""{"set": "mnist", "partition": {"kind": "dirichlet-clients", "sizes": {"kind": "lognormal", "sigma": 0.3}}}""").Partition);

    [Fact]
    public static void A_generator_binds_with_its_options() =>
        Assert.Equal(new SyntheticOptions { Alpha = 0.5, Beta = 0.5 }, Read("""{"source": {"kind": "synthetic", "alpha": 0.5, "beta": 0.5}}""").Source);

    [Fact]
    public static void A_table_binds_with_its_schema()
    {
        var table = Assert.IsType<CsvSourceOptions>(Read(
            """
            {"source": {"kind": "csv", "files": [{"path": "a.csv", "client": "A"}], "fit": "per-client", "label": {"column": "y", "above": 0},
             "columns": [{"name": "c", "kind": "categorical", "imputation": "most-frequent", "values": ["1", "2"]}, {"name": "y"}]}}
            """).Source);

        Assert.Equal(CsvFit.PerClient, table.Fit);
        Assert.Equal(CsvColumnKind.Categorical, table.Columns[0].Kind);
        Assert.Equal(Imputation.MostFrequent, table.Columns[0].Imputation);
        Assert.Equal(0, table.Label.Above);
    }

    [Fact]
    public static void Every_partition_has_a_partitioner_of_the_same_name()
    {
        var kinds = typeof(PartitionOptions).GetCustomAttributes<JsonDerivedTypeAttribute>().ToArray();

        Assert.Equal(Partitioners.All.Order(), kinds.Select(k => (string)k.TypeDiscriminator!).Order());
        foreach (var kind in kinds.Where(k => k.DerivedType.IsSubclassOf(typeof(LabelPartition))))
        {
            Assert.Equal(kind.TypeDiscriminator, Partitioners.Create((LabelPartition)Activator.CreateInstance(kind.DerivedType)!).Name);
        }
    }

    [Fact]
    public static void Defaults_satisfy_their_own_ranges()
    {
        var bases = new[] { typeof(PartitionOptions), typeof(DataSourceOptions), typeof(ClientSizes) };
        foreach (var type in bases.SelectMany(b => b.GetCustomAttributes<JsonDerivedTypeAttribute>()).Select(k => k.DerivedType))
        {
            var options = Activator.CreateInstance(type)!;
            foreach (var property in type.GetProperties())
            {
                if (property.GetCustomAttribute<RangeAttribute>() is { } range && property.GetValue(options) is { } value)
                {
                    Assert.True(range.IsValid(value), $"{type.Name}.{property.Name} = {value}");
                }
            }
        }
    }
}
