using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What is remembered of one object of a tree.</summary>
/// <param name="Done">Whether it is in place; otherwise its upload had begun.</param>
/// <param name="Size">Its size then; -1 when unknown.</param>
/// <param name="Modified">Its time then, microseconds since 1970; null when unknown.</param>
internal sealed record ObjectMark(bool Done, long Size, long? Modified)
{
    /// <summary>Whether the object is still what it was; of one whose size nobody tells that is not known.</summary>
    public bool IsOf(TreeItem item) => item.Size is { } size && size == Size && JobStore.TimeOrNull(item.Modified) == Modified;
}

/// <summary>Objects of trees, for as long as their transfer is not final.</summary>
internal sealed partial class JobStore
{
    /// <summary>Whether anything is remembered of a tree.</summary>
    public Task<bool> HasObjectsAsync(long job, int position) => _queue.ReadAsync(file =>
        file.Number("SELECT 1 FROM objects WHERE job = $1 AND position = $2 LIMIT 1", job, position) is not null);

    /// <summary>What is remembered of one object; null for nothing.</summary>
    public Task<ObjectMark?> FindObjectAsync(long job, int position, string path) => _queue.ReadAsync(file =>
        file.Query("SELECT done, size, modified FROM objects WHERE job = $1 AND position = $2 AND path = $3",
            row => new ObjectMark(row.GetBoolean(0), row.GetInt64(1), NumberOrNull(row, 2)), job, position, path).FirstOrDefault());

    /// <summary>Remembers objects.</summary>
    public Task<int> NoteObjectsAsync(long job, int position, IReadOnlyList<TreeItem> items, bool done) => _queue.WriteAsync(file =>
    {
        foreach (TreeItem item in items)
        {
            file.Execute("INSERT OR REPLACE INTO objects(job, position, path, done, size, modified) VALUES ($1, $2, $3, $4, $5, $6)",
                job, position, item.Path, done, item.Size ?? -1, TimeOrNull(item.Modified));
        }

        return items.Count;
    });

    /// <summary>Uploads of a tree that had begun and whose end is not known: how many, and the first.</summary>
    public Task<(long Count, string? First)> BegunObjectsAsync(long job, int position) => _queue.ReadAsync(file =>
        file.Query("SELECT count(*), min(path) FROM objects WHERE job = $1 AND position = $2 AND done = 0",
            row => (row.GetInt64(0), TextOrNull(row, 1)), job, position)[0]);

    /// <summary>Forgets an object whose upload had begun, and has left nothing.</summary>
    public Task<int> ForgetObjectAsync(long job, int position, string path) => _queue.WriteAsync(file =>
        file.Execute("DELETE FROM objects WHERE job = $1 AND position = $2 AND path = $3 AND done = 0", job, position, path));

    /// <summary>Microseconds since 1970.</summary>
    internal static long? TimeOrNull(DateTimeOffset? time) => time is { } value ? Time(value) : null;
}
