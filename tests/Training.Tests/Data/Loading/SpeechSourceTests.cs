using Federated.Training.Data;
using Federated.Training.Data.Loading;

namespace Federated.Training.Tests.Data.Loading;

public sealed class SpeechSourceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private FederatedData Load(string text, int length = 3, int stride = 2, double testShare = 0.5)
    {
        folder.Write("play.txt", text);
        return SpeechSource.Load(new SpeechSourceOptions { Path = "play.txt", SequenceLength = length, Stride = stride, TestShare = testShare }, "play", folder.Path);
    }

    private static string Text(DataSet set, int example) => string.Concat(set.Row(example).ToArray().Select(s => TextAlphabet.Decode((int)s)));

    [Fact]
    public void A_role_is_a_client_whose_windows_stay_within_its_part_of_the_text()
    {
        // ANN says "abcdefgh\n" + "ij\n" (12 characters, 6 to train on), BOB "klmnopqrstu\n".
        var data = Load("ANN:\nabcdefgh\n\nBOB:\nklmnopqrstu\n\nANN:\nij\n");

        Assert.Equal(["ANN", "BOB"], data.Clients.Select(c => c.Name));
        Assert.Equal(["abc", "cde", "klm", "mno"], Enumerable.Range(0, 4).Select(i => Text(data.Train, i)));
        Assert.Equal("dfnp", string.Concat(data.Train.Labels.Select(TextAlphabet.Decode)));
        Assert.Equal(["gh\n", "\nij", "qrs", "stu"], Enumerable.Range(0, 4).Select(i => Text(data.Test, i)));
        Assert.Equal("i\nt\n", string.Concat(data.Test.Labels.Select(TextAlphabet.Decode)));
        Assert.Equal([2, 3], data.Clients[1].Test);
    }

    [Fact]
    public void A_line_within_a_speech_may_end_with_a_colon_and_a_block_without_a_name_goes_on()
    {
        var data = Load("ANN:\nhe said:\nyes\n\nno name here\n", testShare: 0.3);

        Assert.Equal(["ANN"], data.Clients.Select(c => c.Name));
    }

    [Fact]
    public void A_role_too_short_to_train_on_is_left_out() =>
        Assert.Equal(["ANN"], Load("ANN:\nabcdefghijkl\n\nBOB:\nab\n").Clients.Select(c => c.Name));

    [Fact]
    public void A_text_that_does_not_begin_with_a_name_is_an_error() =>
        Assert.Contains("line 2: the text must begin with a line 'NAME:'", Assert.Throws<TrainingException>(() => Load("\nOnce upon a time\n")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_text_too_short_for_any_example_is_an_error() =>
        Assert.Contains("lower sequenceLength", Assert.Throws<TrainingException>(() => Load("ANN:\nabc\n", length: 80)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_symbol_decodes_to_what_it_encodes()
    {
        Assert.All(Enumerable.Range(0, TextAlphabet.Unknown), s => Assert.Equal(s, TextAlphabet.Encode(TextAlphabet.Decode(s))));
        Assert.Equal(TextAlphabet.Unknown, TextAlphabet.Encode('é'));
        Assert.Equal(TextAlphabet.Unknown, TextAlphabet.Encode('\t'));
    }
}
