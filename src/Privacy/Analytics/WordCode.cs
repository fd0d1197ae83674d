namespace Federated.Privacy.Analytics;

/// <summary>Words as numbers of 5 bits a letter, so that common beginnings are common prefixes: a–z without case, apostrophe, hyphen, any digit, anything else.</summary>
public static class WordCode
{
    public const int LetterBits = 5;
    private const string Alphabet = "\0abcdefghijklmnopqrstuvwxyz'-#?";

    /// <summary>The code of the first letters.</summary>
    public static ulong Encode(string word, int letters)
    {
        ulong code = 0;
        for (var i = 0; i < letters; i++)
        {
            var letter = i < word.Length ? char.ToLowerInvariant(word[i]) : '\0';
            var index = char.IsAsciiDigit(letter) ? Alphabet.Length - 2 : Alphabet.IndexOf(letter, StringComparison.Ordinal);
            code = (code << LetterBits) | (uint)(index < 0 ? Alphabet.Length - 1 : index);
        }

        return code;
    }

    /// <summary>The word of a code; what no word encodes to shows a full stop.</summary>
    public static string Decode(ulong code, int letters)
    {
        var word = new char[letters];
        for (var i = letters - 1; i >= 0; i--, code >>= LetterBits)
        {
            var index = (int)(code & ((1 << LetterBits) - 1));
            word[i] = index < Alphabet.Length ? Alphabet[index] : '.';
        }

        var text = new string(word).TrimEnd('\0');
        return text.Length == 0 ? "(none)" : text.Replace('\0', '.');
    }
}
