namespace Pelican.Federation;

/// <summary>PUT, and the refusals that go with it.</summary>
public abstract partial class ObjectServer
{
    private const int BlockBytes = 64 * 1024;

    /// <summary>Where this server does not take writes: the answer to a PUT; null where it does.</summary>
    private protected virtual Reply? RefuseWrite(Request request, string path) => null;

    private bool IsBusy(string path) => Dialect.IsXrootd && _writing.ContainsKey(path);

    private Reply Busy(Request request, string path) =>
        Failure(request, Dialect.BusyStatus, "open", path, "file already opened by 1 writer; open denied.");

    private async Task<Reply> PutAsync(Request request, FederationNamespace ns, ObjectName name, CancellationToken cancellationToken)
    {
        if (await PutElsewhereAsync(request, cancellationToken) is { } passed)
        {
            return passed;
        }

        if (RefusePut(request, ns, name) is { } refusal)
        {
            return refusal;
        }

        if (!_writing.TryAdd(name.Path, true))
        {
            return Busy(request, name.Path);
        }

        try
        {
            if (RefusePut(request, ns, name) is { } late)
            {
                // Somebody else's has come between the first look and the lock.
                return late;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(FileOf(name.Path))!);
            return Dialect.Posc
                ? await PutAndRenameAsync(request, name.Path, cancellationToken)
                : await PutInPlaceAsync(request, name.Path, cancellationToken);
        }
        finally
        {
            if (LockGate is not null && !request.Received.Ended)
            {
                await LockGate.TakeAsync(1, cancellationToken);
            }

            ForgetDigests(Dialect.IsXrootd ? [] : [name.Path]);
            _writing.TryRemove(name.Path, out _);
        }
    }

    private Reply? RefusePut(Request request, FederationNamespace ns, ObjectName name)
    {
        string path = name.Path;
        string local = FileOf(path);
        bool exists = File.Exists(local);
        Access access = exists && Dialect.IsXrootd ? Access.Modify : Access.Create;
        if (!Allows(request, ns, path, access))
        {
            return Denied(request, path, access);
        }

        if (RefuseWrite(request, path) is { } readOnly)
        {
            return readOnly;
        }

        if (Directory.Exists(local) || (name.EndsWithSlash && Dialect.IsXrootd))
        {
            return Failure(request, 409, "create", path, "is a directory");
        }

        if (BelowFile(local))
        {
            return Failure(request, Dialect.IsXrootd ? 500 : 404, "create", path, "not a directory");
        }

        if (exists && Dialect.OverwriteHeader && request.Headers["Overwrite"] == "F")
        {
            return Failure(request, 409, "create", path, "file exists");
        }

        return Dialect.IsXrootd ? null : RefuseByConditions(request, local);
    }

    /// <summary>Pelican's origins obey these two (pelican-servers.md 6.1); the tag is the one of HEAD.</summary>
    private static Reply? RefuseByConditions(Request request, string local)
    {
        bool exists = File.Exists(local);
        return exists && request.Headers["If-None-Match"] == "*" ? Reply.Plain(412, "Object already exists")
            : request.Headers["If-Match"] is { } match && !(exists && (match == "*" || match == PropertyETag(new FileInfo(local))))
                ? Reply.Plain(412, "Object does not match If-Match")
                : null;
    }

    private static bool BelowFile(string local)
    {
        for (string? parent = Path.GetDirectoryName(local); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            if (File.Exists(parent))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The final name is emptied before the first byte comes and keeps whatever came (xrootd.md 6.5, 6.6).</summary>
    private async Task<Reply> PutInPlaceAsync(Request request, string path, CancellationToken cancellationToken)
    {
        bool full;
        await using (FileStream file = new(FileOf(path), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 0))
        {
            full = !await StoreAsync(request.Body, file, cancellationToken);
            File.SetLastWriteTimeUtc(file.SafeFileHandle, Clock.GetUtcNow().UtcDateTime);
        }

        if (full)
        {
            return Dialect.FullStatus is { } status
                ? Failure(request, status, "write", path, "no space left on device")
                : new Reply(0) { Unanswered = true, Ending = Ending.Reset };
        }

        if (!Dialect.IsXrootd)
        {
            return Stored(path);
        }

        if (request.Headers["Expect"] == "100-continue" && !request.HasBody)
        {
            // xrootd.md 6.3: the object is made, the answer never comes.
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return request.Received.HadTrailers
            ? new Reply(400, "Invalid trailing chunk encoding.") { Close = true }
            : new Reply(Dialect.PutStatus, ":-)");
    }

    private Reply Stored(string path)
    {
        Reply reply = Reply.Plain(201);
        reply.Headers["ETag"] = ContentETag(path, new FileInfo(FileOf(path)));
        return reply;
    }

    /// <summary>With a length, what was cut is dropped; without one, what came is the object (pelican-servers.md 16.5).</summary>
    private async Task<Reply> PutAndRenameAsync(Request request, string path, CancellationToken cancellationToken)
    {
        // Outside of any namespace, so that no listing shows it.
        string incoming = Path.Combine(Folder, ".incoming");
        Directory.CreateDirectory(incoming);
        string part = Path.Combine(incoming, Guid.NewGuid().ToString());
        try
        {
            await using (FileStream file = new(part, FileMode.CreateNew))
            {
                if (!await StoreAsync(request.Body, file, cancellationToken))
                {
                    return Failure(request, 507, "write", path, "no space left on device");
                }
            }

            File.SetLastWriteTimeUtc(part, Clock.GetUtcNow().UtcDateTime);
            File.Move(part, FileOf(path), true);
            return Stored(path);
        }
        catch (IOException) when (request.Headers["Content-Length"] is null && File.Exists(part))
        {
            File.Move(part, FileOf(path), true);
            throw;
        }
        finally
        {
            File.Delete(part);
        }
    }

    /// <returns>Whether there was space for all.</returns>
    private async Task<bool> StoreAsync(Stream body, FileStream file, CancellationToken cancellationToken)
    {
        byte[] block = new byte[BlockBytes];
        int count;
        while ((count = await body.ReadAsync(block, cancellationToken)) > 0)
        {
            int fits = (int)Math.Min(count, SpaceLeft);
            SpaceLeft -= fits;
            await file.WriteAsync(block.AsMemory(0, fits), cancellationToken);
            if (fits < count)
            {
                return false;
            }
        }

        return true;
    }
}
