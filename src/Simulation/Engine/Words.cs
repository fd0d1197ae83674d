using System.Text.Json;
using Federated.Coordinator.Runs;

namespace Federated.Simulation.Engine;

/// <summary>Enum members as results spell them: kebab-case.</summary>
internal static class Words
{
    private static readonly string[] Rejections = Spell<Rejection>();
    private static readonly string[] Losses = Spell<LossReason>();
    private static readonly string[] Finishes = Spell<FinishReason>();

    public static string Of(Rejection reason) => Rejections[(int)reason];

    public static string Of(LossReason reason) => Losses[(int)reason];

    public static string Of(FinishReason reason) => Finishes[(int)reason];

    public static string Spell<TEnum>(TEnum value)
        where TEnum : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    /// <summary>The member that <see cref="Spell{TEnum}(TEnum)"/> spells so.</summary>
    public static TEnum Read<TEnum>(string word)
        where TEnum : struct, Enum =>
        Enum.GetValues<TEnum>().Cast<TEnum?>().FirstOrDefault(value => Spell(value!.Value) == word)
            ?? throw new FormatException($"'{word}' is none of {string.Join(", ", Spell<TEnum>())}.");

    private static string[] Spell<TEnum>()
        where TEnum : struct, Enum => [.. Enum.GetNames<TEnum>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];
}
