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

    private static string[] Spell<TEnum>()
        where TEnum : struct, Enum => [.. Enum.GetNames<TEnum>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];
}
