using System.Text.Json;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Http;

/// <summary>Enum members as the wire spells them: kebab-case.</summary>
internal static class Spelling
{
    private static readonly string[] Rejections = Spell<Rejection>(), Finishes = Spell<FinishReason>(), Statuses = Spell<RunStatus>();

    public static string Of(Rejection reason) => Rejections[(int)reason];

    public static string Of(FinishReason reason) => Finishes[(int)reason];

    public static string Of(RunStatus status) => Statuses[(int)status];

    private static string[] Spell<TEnum>()
        where TEnum : struct, Enum => [.. Enum.GetNames<TEnum>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];
}
