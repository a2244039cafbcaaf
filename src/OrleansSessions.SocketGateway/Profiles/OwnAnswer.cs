using System.Text;
using OrleansSessions.Log;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Profiles;

/// <summary>A question that a basic socket has asked, and its answer as far as it is known.</summary>
internal sealed class OwnAnswer(string questionId, string question)
{
    private string _first = "";
    private StringBuilder? _rest;

    public string QuestionId { get; } = questionId;

    public string Question { get; } = question;

    /// <summary>True once it is known that the question of this socket was accepted, now or earlier.</summary>
    public bool IsConfirmed { get; set; }

    /// <summary>True if deltas are missing.</summary>
    public bool IsBroken { get; set; }

    /// <summary>True while it waits to be fetched.</summary>
    public bool MustFetch { get; set; }

    public QuestionEnd? End { get; set; }

    /// <summary>The index of the next delta.</summary>
    public int Next { get; private set; }

    public string Text => _rest is null ? _first : _rest.ToString();

    public void Take(LogEvent delta)
    {
        if (delta.Index < Next)
        {
            return;
        }

        if (delta.Index > Next)
        {
            IsBroken = true;
            return;
        }

        Next++;
        if (delta.Index == 0)
        {
            _first = delta.Text;
        }
        else
        {
            (_rest ??= new(_first)).Append(delta.Text);
        }
    }

    public void Restart(string text, int deltas) => (_first, _rest, Next) = (text, null, deltas);
}
