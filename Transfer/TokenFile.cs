using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Pelican.Transfer;

/// <summary>
/// Reads token files, which may lie where anybody can put things. A FIFO must not hang us, a device not feed us for
/// ever, and a link in <c>/tmp</c> not make us send somebody's private file to a server.
/// </summary>
internal static partial class TokenFile
{
    /// <summary>A larger file holds no token: servers take headers of 8 to 64 KiB.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>What is found where there is nothing.</summary>
    public const string Missing = "no such file";

    /// <summary>Reads a raw token, or JSON with <c>access_token</c> (tokens.md 3.1).</summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">User id that must own the file itself, links not followed; null where the directory is trusted.</param>
    /// <param name="token">The token; null when there is none.</param>
    /// <param name="found">What was there instead, for people; empty when there is a token.</param>
    public static bool TryRead(string path, uint? owner, [NotNullWhen(true)] out string? token, out string found)
    {
        token = null;
        using SafeFileHandle? file = Open(path, owner, out found);
        if (file is null)
        {
            return false;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        try
        {
            int length = Fill(file, buffer.AsSpan(0, MaxBytes + 1));
            if (length > MaxBytes)
            {
                found = "larger than 64 KiB";
                return false;
            }

            return TryTake(Encoding.UTF8.GetString(buffer, 0, length), out token, out found);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            found = "cannot be read";
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Takes the token out of a text that may have white space around it. It must be fit for a header.</summary>
    /// <param name="text">Contents of a file or variable.</param>
    /// <param name="token">The token; null when there is none.</param>
    /// <param name="found">What was there instead, for people; empty when there is a token.</param>
    public static bool TryTake(string text, [NotNullWhen(true)] out string? token, out string found)
    {
        string trimmed = text.Trim().TrimStart('\uFEFF');
        (token, found) = trimmed.StartsWith('{') ? FromJson(trimmed) : (trimmed, "");
        if (token is null)
        {
            return false;
        }

        found = token switch
        {
            "" => "empty",
            _ when token.Length > MaxBytes => "larger than 64 KiB",
            _ when token.AsSpan().ContainsAnyExceptInRange('!', '~') => "not a token: it has blanks, control or other characters",
            _ => "",
        };
        token = found.Length == 0 ? token : null;
        return token is not null;
    }

    private static (string? Token, string Found) FromJson(string text)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            return json.RootElement.TryGetProperty("access_token", out JsonElement token) && token.ValueKind == JsonValueKind.String
                ? (token.GetString()!.Trim(), "")
                : (null, "JSON without an access_token");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, "neither a token nor JSON");
        }
    }

    private static SafeFileHandle? Open(string path, uint? owner, out string found)
    {
        // O_NOFOLLOW is one of the few flags that differ between architectures.
        int noFollow = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;
        const int NonBlockingCloseOnExec = 0x800 | 0x80000;
        SafeFileHandle file = new(Native.Open(path, NonBlockingCloseOnExec | (owner is null ? 0 : noFollow)), ownsHandle: true);
        found = file.IsInvalid ? Explain(Marshal.GetLastPInvokeError()) : Judge(file, owner);
        if (found.Length == 0)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    private static string Judge(SafeFileHandle file, uint? owner)
    {
        const int TypeMask = 0xF000;
        const int RegularFile = 0x8000;
        if (Native.Stat(file, out Native.FileStatus status) != 0)
        {
            return "cannot be read";
        }

        if ((status.Mode & TypeMask) != RegularFile)
        {
            return "not a regular file";
        }

        return owner is null || status.Owner == owner ? "" : $"belongs to user {status.Owner}";
    }

    private static string Explain(int errno) => errno switch
    {
        2 or 20 or 36 => Missing,                  // ENOENT, ENOTDIR, ENAMETOOLONG
        1 or 13 => "permission denied",            // EPERM, EACCES
        6 => "not a regular file",                 // ENXIO: a socket
        40 => "a symbolic link",                   // ELOOP
        _ => Marshal.GetPInvokeErrorMessage(errno),
    };

    private static int Fill(SafeFileHandle file, Span<byte> buffer)
    {
        int length = 0;
        while (length < buffer.Length && RandomAccess.Read(file, buffer[length..], length) is > 0 and int read)
        {
            length += read;
        }

        return length;
    }

    private static partial class Native
    {
        [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        public static partial int Open(string path, int flags);

        /// <summary>
        /// <c>fstat</c> through the runtime's own shim, because libc's differs by architecture in its structure, and by
        /// age in its symbol. Layout: dotnet/runtime, <c>src/native/libs/System.Native/pal_io.h</c>.
        /// </summary>
        [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat", SetLastError = true)]
        public static partial int Stat(SafeFileHandle file, out FileStatus status);

        /// <summary>The members in use; the rest is room.</summary>
        [StructLayout(LayoutKind.Explicit, Size = 256)]
        public struct FileStatus
        {
            [FieldOffset(4)]
            public int Mode;

            [FieldOffset(8)]
            public uint Owner;
        }
    }
}
