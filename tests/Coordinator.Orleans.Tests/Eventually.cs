using System.Runtime.CompilerServices;

namespace Federated.Coordinator.Orleans.Tests;

/// <summary>Waits for what is bound to come, however slow the machine: only something that hangs runs into the guard.</summary>
internal static class Eventually
{
    /// <summary>Longer than anything here takes on a machine that does ten other things.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    /// <summary>Ends whatever hangs.</summary>
    public static CancellationTokenSource Guard() => new(Patience);

    public static Task HoldsAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") => HoldsAsync(() => Task.FromResult(condition()), what);

    public static async Task HoldsAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        using var guard = Guard();
        while (!await condition())
        {
            Assert.False(guard.IsCancellationRequested, $"It did not come about within {Patience.TotalMinutes} minutes: {what}");
            await Task.Delay(20);
        }
    }
}
