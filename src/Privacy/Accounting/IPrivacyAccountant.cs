namespace Federated.Privacy.Accounting;

/// <summary>Certifies how much privacy an event costs. Every number is an upper bound; accountants differ in how tight it is.</summary>
/// <remarks>Pure functions of the event, safe to call from several threads. Names and when to choose which: <see cref="Accountants"/>.</remarks>
public interface IPrivacyAccountant
{
    /// <summary>The accountant's name in configuration and in guarantees.</summary>
    string Name { get; }

    /// <summary>The smallest ε that this accountant certifies at δ; +∞ where it certifies none.</summary>
    /// <param name="privacyEvent">What happened, or is planned.</param>
    /// <param name="delta">δ in [0, 1).</param>
    /// <exception cref="PrivacyException">δ is out of range, or the accountant has no bound for one of the mechanisms.</exception>
    double Epsilon(PrivacyEvent privacyEvent, double delta);

    /// <summary>The smallest δ that this accountant certifies at ε; 1 where it certifies none.</summary>
    /// <param name="privacyEvent">What happened, or is planned.</param>
    /// <param name="epsilon">ε ≥ 0.</param>
    /// <exception cref="PrivacyException">ε is out of range, or the accountant has no bound for one of the mechanisms.</exception>
    double Delta(PrivacyEvent privacyEvent, double epsilon);
}
