namespace Federated.Shuffler;

/// <summary>What a shuffler cannot do; the message says what was needed, what was there and what to change.</summary>
public sealed class ShufflerException : Exception
{
    public ShufflerException()
    {
    }

    public ShufflerException(string message)
        : base(message)
    {
    }

    public ShufflerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
