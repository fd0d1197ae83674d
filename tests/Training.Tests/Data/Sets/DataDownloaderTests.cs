using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Federated.Training.Data.Sets;

namespace Federated.Training.Tests.Data.Sets;

public sealed class DataDownloaderTests : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31 % 251))];

    private readonly TemporaryFolder folder = new();
    private readonly FakeServer server = new();
    private readonly Reports reports = new();

    private string Target => folder.File("toy/toy.bin");

    public void Dispose()
    {
        folder.Dispose();
        server.Dispose();
    }

    private static KnownDataSet Toy(params string[] addresses) => new(
        "toy", "A toy.", "none", "nowhere",
        [new KnownFile("toy.bin", Content.Length, Convert.ToHexStringLower(SHA256.HashData(Content)), [], [.. addresses.Select(a => new Uri(a))])],
        (_, _) => throw new InvalidOperationException());

    private async Task Download(TimeProvider? time = null, params string[] addresses)
    {
        using var client = new HttpClient(server, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        var downloader = new DataDownloader(client, time ?? new HandTime()) { Pause = TimeSpan.Zero };
        await downloader.DownloadAsync(Toy(addresses is [] ? ["http://one.example/toy.bin"] : addresses), folder.Path, reports, CancellationToken.None);
    }

    [Fact]
    public async Task A_file_arrives_whole_under_its_name_with_progress()
    {
        server.Answer = (_, _) => Whole();

        await Download();

        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.False(File.Exists(Target + ".part"));
        Assert.Equal(DownloadState.Done, reports.All[^1].State);
        Assert.Contains(reports.All, r => r.State == DownloadState.Downloading && r.Bytes > 0 && r.Total == Content.Length);
        Assert.Equal(reports.All.Where(r => r.State == DownloadState.Downloading).Select(r => r.Bytes).Order(), reports.All.Where(r => r.State == DownloadState.Downloading).Select(r => r.Bytes));
    }

    [Fact]
    public async Task A_broken_transfer_goes_on_where_it_stopped()
    {
        server.Answer = (request, attempt) => attempt == 0
            ? Body(HttpStatusCode.OK, new BreakingStream(Content[..100_000]))
            : From(request.Headers.Range!.Ranges.Single().From!.Value);

        await Download();

        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([null, 100_000L], server.RangeStarts);
    }

    [Fact]
    public async Task A_part_left_by_an_earlier_run_is_continued()
    {
        folder.Write("toy/toy.bin.part", Content[..123_456]);
        server.Answer = (request, _) => From(request.Headers.Range!.Ranges.Single().From!.Value);

        await Download();

        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([123_456L], server.RangeStarts);
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_is_read_from_the_start()
    {
        folder.Write("toy/toy.bin.part", Content[..123_456]);
        server.Answer = (_, _) => Whole();

        await Download();

        Assert.Equal(Content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_of_something_else_is_thrown_away_once_the_checksum_says_so()
    {
        folder.Write("toy/toy.bin.part", new byte[100]);
        server.Answer = (request, _) => request.Headers.Range is { } range ? From(range.Ranges.Single().From!.Value) : Whole();

        await Download();

        Assert.Equal(Content, File.ReadAllBytes(Target));
        Assert.Equal([100L, null], server.RangeStarts);
    }

    [Fact]
    public async Task Another_content_than_the_published_is_never_put_in_place()
    {
        server.Answer = (_, _) => Body(HttpStatusCode.OK, new MemoryStream(new byte[Content.Length]));

        var message = (await Assert.ThrowsAsync<TrainingException>(() => Download())).Message;

        Assert.Contains("is not the published file", message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.File("toy")));
    }

    [Fact]
    public async Task A_body_without_end_is_cut_off()
    {
        server.Answer = (_, _) => Body(HttpStatusCode.OK, new EndlessStream());

        await Assert.ThrowsAsync<TrainingException>(() => Download());

        Assert.InRange(EndlessStream.Served, Content.Length, 3 * (Content.Length + 300_000));
    }

    [Fact]
    public async Task A_mirror_stands_in_for_an_address_that_fails()
    {
        server.Answer = (request, _) => request.RequestUri!.Host == "one.example" ? new HttpResponseMessage(HttpStatusCode.NotFound) : Whole();

        await Download(null, "http://one.example/toy.bin", "http://two.example/toy.bin");

        Assert.Equal(Content, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task Offline_the_error_says_what_to_fetch_and_where_to_put_it()
    {
        server.Answer = (_, _) => throw new HttpRequestException("Name or service not known (one.example:80)");

        var message = (await Assert.ThrowsAsync<TrainingException>(() => Download())).Message;

        Assert.Contains("one.example cannot be reached", message, StringComparison.Ordinal);
        Assert.Contains("If this machine is offline, get http://one.example/toy.bin by other means and put it at", message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine("toy", "toy.bin"), message, StringComparison.Ordinal);
        Assert.Equal(3, server.RangeStarts.Count);
    }

    [Fact]
    public async Task A_file_that_is_there_is_not_fetched_again()
    {
        folder.Write("toy/toy.bin", Content);
        server.Answer = (_, _) => throw new InvalidOperationException("No request is expected.");

        await Download();

        Assert.Equal(DownloadState.AlreadyThere, Assert.Single(reports.All).State);
    }

    [Fact]
    public async Task Another_edition_that_is_there_is_left_alone()
    {
        folder.Write("toy/toy.bin", "my own edition");

        var message = (await Assert.ThrowsAsync<TrainingException>(() => Download())).Message;

        Assert.Contains("is there but is not the published file", message, StringComparison.Ordinal);
        Assert.Equal("my own edition", File.ReadAllText(Target));
    }

    [Fact]
    public async Task A_stalled_transfer_fails_after_the_timeout()
    {
        var time = new HandTime();
        var stream = new StallingStream();
        server.Answer = (_, _) => Body(HttpStatusCode.OK, stream);

        var download = Assert.ThrowsAsync<TrainingException>(() => Download(time));
        for (var attempt = 0; attempt < 3; attempt++)
        {
            await stream.Reading.WaitAsync();
            time.Elapse(TimeSpan.FromSeconds(61));
        }

        Assert.Contains("nothing arrived for 60 s", (await download).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_an_error()
    {
        folder.Write("toy", "a file where the folder should be");

        Assert.Contains("Cannot write to", (await Assert.ThrowsAsync<TrainingException>(() => Download())).Message, StringComparison.Ordinal);
    }

    private static HttpResponseMessage Whole() => Body(HttpStatusCode.OK, new MemoryStream(Content));

    private static HttpResponseMessage From(long start)
    {
        var response = Body(HttpStatusCode.PartialContent, new MemoryStream(Content[(int)start..]));
        response.Content.Headers.ContentRange = new ContentRangeHeaderValue(start, Content.Length - 1, Content.Length);
        return response;
    }

    private static HttpResponseMessage Body(HttpStatusCode status, Stream body) => new(status) { Content = new StreamContent(body) };

    private sealed class FakeServer : HttpMessageHandler
    {
        public Func<HttpRequestMessage, int, HttpResponseMessage> Answer { get; set; } = (_, _) => new HttpResponseMessage(HttpStatusCode.NotFound);

        public List<long?> RangeStarts { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            RangeStarts.Add(request.Headers.Range?.Ranges.Single().From);
            return Task.FromResult(Answer(request, RangeStarts.Count - 1));
        }
    }

    private sealed class Reports : IProgress<DownloadProgress>
    {
        public List<DownloadProgress> All { get; } = [];

        public void Report(DownloadProgress value) => All.Add(value);
    }

    /// <summary>Serves bytes, then breaks as a lost connection does.</summary>
    private sealed class BreakingStream(byte[] content) : MemoryStream(content)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            return read > 0 ? read : throw new IOException("The connection was reset.");
        }
    }

    private sealed class EndlessStream : MemoryStream
    {
        public static long Served { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Clear();
            Served += buffer.Length;
            return ValueTask.FromResult(buffer.Length);
        }
    }

    private sealed class StallingStream : MemoryStream
    {
        public SemaphoreSlim Reading { get; } = new(0);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var stalled = Task.Delay(Timeout.Infinite, cancellationToken);
            Reading.Release();
            await stalled;
            return 0;
        }
    }

    /// <summary>Time that passes only by hand.</summary>
    private sealed class HandTime : TimeProvider
    {
        private readonly List<HandTimer> timers = [];
        private long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new HandTimer(this, callback, state);
            timer.Change(dueTime, period);
            lock (timers)
            {
                timers.Add(timer);
            }

            return timer;
        }

        public void Elapse(TimeSpan span)
        {
            now += span.Ticks;
            HandTimer[] all;
            lock (timers)
            {
                all = [.. timers];
            }

            foreach (var timer in all)
            {
                timer.FireIfDue(now);
            }
        }

        private sealed class HandTimer(HandTime time, TimerCallback callback, object? state) : ITimer
        {
            private long due = long.MaxValue;

            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.now + dueTime.Ticks;
                return true;
            }

            public void FireIfDue(long at)
            {
                if (at >= due)
                {
                    due = long.MaxValue;
                    callback(state);
                }
            }

            public void Dispose() => due = long.MaxValue;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
