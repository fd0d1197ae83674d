using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Serving;

/// <summary>Options as people name them.</summary>
internal static class ConfigWords
{
    /// <summary>The kind of a model, with its settings: <c>mlp, hidden [200]</c>.</summary>
    public static string KindOf(Training.Models.ModelOptions model)
    {
        var json = ConfigJson.Write(new ModelHolder { Model = model }).GetProperty("model");
        return string.Join(", ", json.EnumerateObject().Select(p => p.Name == OptionsShapes.Discriminator ? p.Value.GetString() : $"{p.Name} {p.Value.GetRawText()}"));
    }

    private sealed record ModelHolder
    {
        public required Training.Models.ModelOptions Model { get; init; }
    }
}
