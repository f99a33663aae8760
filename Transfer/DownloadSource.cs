using System.Net.Http.Headers;
using Pelican.Json;

namespace Pelican.Transfer;

/// <summary>What is known of the object that a download is of, and of the version that the bytes in place belong to.</summary>
/// <remarks>
/// 1. What a part remembers belongs to the server that sent it: its size and ETag are that server's. The origin's time is noted beside
///    them as long as the origin has the same size.
/// 2. Bytes of one version, for certain, are those of one server under one ETag, or of the origin while its time, told with the first
///    byte, stays the same. Whatever else continues a part makes it one that must be verified, for its whole life.
/// </remarks>
internal sealed class DownloadSource(DownloadTarget target, TransferProgress progress)
{
    private readonly HashSet<string> _senders = [];
    private ObjectInfo? _original;
    private DateTimeOffset? _sent;
    private string? _tag;
    private long? _length;
    private bool _isListingDoubted;

    /// <summary>What a listing said of the object, and which server made it (host and port); null when there was none.</summary>
    public (ObjectInfo Info, string Server)? Listed { get; init; }

    /// <summary>The same, as long as nothing that came was wrong: then what it says may be.</summary>
    public (ObjectInfo Info, string Server)? ListedAsYet => _isListingDoubted ? null : Listed;

    /// <summary>The object at its origin; null where that is not known.</summary>
    public ObjectServer? Origin { get; set; }

    /// <summary>Bytes of the object; null while unknown.</summary>
    public long? Size { get; private set; }

    /// <summary>Whether the bytes in place are of more than one answer.</summary>
    public bool IsContinued { get; private set; }

    /// <summary>Whether nothing but a digest of the whole can show that the bytes are of one version.</summary>
    public bool MustBeVerified => IsContinued && target.State is not { OneVersion: true };

    /// <summary>Age of what a cache sent, as it said; null when it said none.</summary>
    public TimeSpan? Age { get; private set; }

    /// <summary>Whether the origin is known to have another version than the one that came.</summary>
    public bool DiffersFromOrigin { get; private set; }

    /// <summary>Whether bytes in place are known to be this server's.</summary>
    public bool IsSender(ObjectServer server) => _senders.Contains(server.Name);

    /// <summary>Whether a server is the origin.</summary>
    public bool IsOrigin(ObjectServer server) => Origin?.Name == server.Name;

    /// <summary>Notes the head of an answer with the whole object.</summary>
    public void Begin(ObjectServer server, HttpResponseMessage response)
    {
        _senders.Add(server.Name);
        _length = ObjectLength.Of(response);
        _sent = server.ModifiedOf(response);
        _tag = server.TagOf(response);
        Age = response.Headers.Age;
        if (_length is { } known)
        {
            SetSize(known);
        }

        if (Listed is { } listed && listed.Server == Origin?.Name)
        {
            Compare(server, listed.Info, _length);
        }
    }

    /// <summary>
    /// Asks what the object is that arrives, and notes it with the part. Runs beside the copy. Without an answer the download goes on; it
    /// just cannot be continued. A listing of the origin will do, unless the object has changed since.
    /// </summary>
    /// <exception cref="PelicanException">It is a collection, or not what the server itself says of it.</exception>
    public async Task LearnAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        ObjectInfo? original = ListedAsYet is { Info.Size: > 0 } known && known.Server == Origin?.Name && known.Info.Size == (_length ?? known.Info.Size)
            ? known.Info
            : Origin is { } origin ? await TryStatAsync(origin, cancellationToken) : null;
        ObjectInfo? own = IsOrigin(server) ? original
            : original is null || _length is null ? await TryStatAsync(server, cancellationToken) : null;
        if (own is { IsCollection: true } || original is { IsCollection: true })
        {
            throw Faults.IsCollection(server.Path);
        }

        if ((_length ?? own?.Size ?? original?.Size) is not { } size)
        {
            return;
        }

        if (own?.Size is { } has && has != size)
        {
            throw new PelicanException(Errors.ObjectChanged, $"{server.Name} sends {size} bytes of '{server.Path}', but it has {has}");
        }

        Compare(server, original, size);
        target.Remember(new PartState("", size, original?.Size == size && !DiffersFromOrigin ? original.Modified : null, _tag)
        {
            Server = server.Name,
            OneVersion = _tag is not null || (IsOrigin(server) && _sent is not null && _sent == original?.Modified),
        });
        SetSize(size);
    }

    /// <summary>Whether a server may continue what is in place.</summary>
    /// <exception cref="PelicanException">It has no such object.</exception>
    public async Task<bool> MayGoOnAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        if (target.State is not { } part)
        {
            return false;
        }

        _original = Origin is { } origin ? await TryStatAsync(origin, cancellationToken) : null;
        if (_original is { } now)
        {
            bool concerned = part.Modified is not null || IsOrigin(server);
            if (concerned && (now.Size != part.Size || IsOtherTime(now.Modified, part.Modified)))
            {
                return false;
            }
        }
        else if (await OwnAsync(server, cancellationToken) is { Size: { } size } && part.Server == server.Name && size != part.Size)
        {
            return false;
        }

        if (target.IsDoubtful && part.OneVersion)
        {
            target.Remember(part with { OneVersion = false });
        }

        SetSize(part.Size);
        IsContinued = true;
        return true;
    }

    /// <summary>Takes the head of an answer that continues the part.</summary>
    /// <returns>Bytes that it will bring.</returns>
    /// <exception cref="PelicanException">It is not what was asked for, or of another version.</exception>
    public long Continue(ObjectServer server, HttpResponseMessage response, long first, long last)
    {
        PartState part = target.State!;
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        bool asAsked = range is { Unit: "bytes", From: { } from, To: { } to } && from == first && to >= first && to <= last;
        long length = asAsked ? range!.To!.Value - first + 1 : 0;
        if (range is { Length: { } total } && total != part.Size)
        {
            throw new PelicanException(Errors.ObjectChanged,
                $"{server.Name} has {total} bytes of '{server.Path}'; what has been received is of a version of {part.Size}");
        }

        if (!asAsked || (ObjectLength.Of(response) is { } promised && promised != length))
        {
            throw new PelicanException(Errors.Protocol,
                $"{server.Name} was asked for bytes {first}-{last} of '{server.Path}' and answered with '{range}', {response.Content.Headers.ContentLength} bytes");
        }

        DateTimeOffset? time = server.ModifiedOf(response);
        if (IsOrigin(server) && IsOtherTime(time, part.Modified))
        {
            throw Changed(server);
        }

        bool sameTag = part.ETag is { } tag && tag == server.TagOf(response);
        bool sameTime = IsOrigin(server) && part.Modified is { } was && (time ?? _original?.Modified) == was;
        bool proven = part.Server == server.Name && part.OneVersion && (sameTag || sameTime);
        if (!proven && (part.OneVersion || part.Server is not null))
        {
            // Before the first byte of it, since this run may be killed at any moment.
            target.Remember(part with { OneVersion = false, Server = part.Server == server.Name ? part.Server : null });
        }

        _senders.Add(server.Name);
        Age = response.Headers.Age ?? Age;
        DiffersFromOrigin |= !IsOrigin(server) && _original is { } original && (original.Size != part.Size || IsOtherTime(original.Modified, time));
        return length;
    }

    /// <summary>Whether the origin's object became another one while it was read there, as far as times tell.</summary>
    /// <param name="server">Who sent the end of it.</param>
    /// <param name="now">What it says now.</param>
    public bool HasChanged(ObjectServer server, ObjectInfo? now) =>
        IsOrigin(server) && now is not null && (IsOtherTime(now.Modified, _sent) || IsOtherTime(now.Modified, target.State?.Modified));

    /// <summary>The bytes are gone.</summary>
    public void Forget()
    {
        _senders.Clear();
        _isListingDoubted = true;
        IsContinued = DiffersFromOrigin = false;
        (_length, _sent, _tag, Age, Size) = (null, null, null, null, null);
    }

    /// <summary>Two versions met.</summary>
    public static PelicanException Changed(ObjectServer server) =>
        new(Errors.ObjectChanged, $"'{server.Path}' at {server.Name} changed while it was downloaded");

    /// <summary>What a server says of an object; null when it says nothing, or has none.</summary>
    public static async Task<ObjectInfo?> TryStatAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        try
        {
            return await server.StatAsync(cancellationToken);
        }
        catch (PelicanException)
        {
            // It gives the object, but not its properties; then only the length of the answer tells the size.
            return null;
        }
    }

    // Unlike above, what is not there is a failure of its own.
    private static async Task<ObjectInfo?> OwnAsync(ObjectServer server, CancellationToken cancellationToken)
    {
        try
        {
            return await server.StatAsync(cancellationToken)
                ?? throw new PelicanException(Errors.NotFound, $"{server.Name} has no '{server.Path}'");
        }
        catch (PelicanException e) when (e.Row != Errors.NotFound)
        {
            return null;
        }
    }

    // A cache goes on giving what it has for a day or so, whatever the origin has by now.
    private void Compare(ObjectServer server, ObjectInfo? original, long? size) =>
        DiffersFromOrigin = !IsOrigin(server) && original is not null
            && ((size is { } sent && original.Size is { } has && sent != has) || IsOtherTime(original.Modified, _sent));

    private static bool IsOtherTime(DateTimeOffset? one, DateTimeOffset? other) => one is not null && other is not null && one != other;

    private void SetSize(long size)
    {
        Size = size;
        progress.SetTotal(size);
    }
}
