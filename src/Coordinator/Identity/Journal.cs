using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;

namespace Federated.Coordinator.Identity;

/// <summary>A file of JSON lines that only grows. An appended line is durable when its task completes; lines that come together share one sync.</summary>
/// <remarks>A line cut off by a crash was never acknowledged; it is removed when the file is opened. A bad line before the last is damage, and refused.</remarks>
internal sealed class Journal<T> : IAsyncDisposable
    where T : class
{
    private readonly JsonTypeInfo<T> form;
    private readonly FileStream file;
    private readonly Channel<(byte[] Line, TaskCompletionSource Done)> queue =
        Channel.CreateUnbounded<(byte[], TaskCompletionSource)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Task writing;

    private Journal(FileStream file, JsonTypeInfo<T> form)
    {
        (this.file, this.form) = (file, form);
        writing = Task.Run(WriteAsync);
    }

    /// <summary>Opens or creates the file, readable by its owner alone.</summary>
    /// <param name="history">What stands in it.</param>
    /// <exception cref="IdentityException">The file is damaged.</exception>
    public static Journal<T> Open(string path, JsonTypeInfo<T> form, out IReadOnlyList<T> history)
    {
        var file = PrivateFile.OpenOrCreate(path);
        try
        {
            history = Read(file, path, form);
            return new Journal<T>(file, form);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public Task AppendAsync(T entry)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var line = JsonSerializer.SerializeToUtf8Bytes(entry, form);
        return queue.Writer.TryWrite(([.. line, (byte)'\n'], done)) ? done.Task : Task.FromException(new ObjectDisposedException(nameof(Journal<>)));
    }

    /// <summary>Forgets everything in the file; nothing may be on its way in.</summary>
    public void Clear()
    {
        file.SetLength(0);
        file.Flush(flushToDisk: true);
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writing.ConfigureAwait(false);
        await file.DisposeAsync().ConfigureAwait(false);
    }

    private static List<T> Read(FileStream file, string path, JsonTypeInfo<T> form)
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var entries = new List<T>();
        var position = 0;
        while (position < bytes.Length)
        {
            var end = Array.IndexOf(bytes, (byte)'\n', position);
            if (end < 0)
            {
                break;
            }

            try
            {
                entries.Add(JsonSerializer.Deserialize(bytes.AsSpan(position, end - position), form) ?? throw new JsonException("null"));
            }
            catch (JsonException e)
            {
                throw new IdentityException($"Line {entries.Count + 1} of '{path}' is damaged: {e.Message} Restore the file from a backup.", e);
            }

            position = end + 1;
        }

        file.SetLength(position);
        file.Position = position;
        return entries;
    }

    private async Task WriteAsync()
    {
        var group = new List<TaskCompletionSource>();
        while (await queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            group.Clear();
            try
            {
                while (group.Count < 1024 && queue.Reader.TryRead(out var item))
                {
                    group.Add(item.Done);
                    await file.WriteAsync(item.Line).ConfigureAwait(false);
                }

                file.Flush(flushToDisk: true);
                group.ForEach(done => done.SetResult());
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                group.ForEach(done => done.TrySetException(new IdentityException($"'{file.Name}' cannot be written: {e.Message}", e)));
            }
        }
    }
}
