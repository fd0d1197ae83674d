namespace Federated.Training.Data.Loading;

/// <summary>
/// The symbols of character-level language models: 0 is the line feed, 1..95 are the printable ASCII characters from space to tilde, 96
/// stands for every other character.
/// </summary>
public static class TextAlphabet
{
    public const int Size = 97;

    public const int Unknown = 96;

    /// <summary>The symbol of a character.</summary>
    public static int Encode(char c) => c == '\n' ? 0 : c is >= ' ' and <= '~' ? c - ' ' + 1 : Unknown;

    /// <summary>The character of a symbol; U+FFFD for <see cref="Unknown"/>.</summary>
    public static char Decode(int symbol) => symbol switch
    {
        0 => '\n',
        >= 1 and < Unknown => (char)(symbol - 1 + ' '),
        Unknown => '\uFFFD',
        _ => throw new ArgumentOutOfRangeException(nameof(symbol), symbol, $"A symbol is in 0..{Size - 1}."),
    };
}
