namespace Federated.Privacy.Clipping;

/// <summary>What clipping found and did. The norm is the client's private value: it may leave the device only through a noised bit.</summary>
/// <param name="Norm">‖x‖₂ before clipping; 0 for a vector that was not finite.</param>
/// <param name="Clipped">Whether the vector was changed.</param>
/// <param name="WasFinite">False when a NaN or an infinity made the vector zero.</param>
public readonly record struct ClipReport(double Norm, bool Clipped, bool WasFinite);
